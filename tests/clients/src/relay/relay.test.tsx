// Relay pages through lists and lists within lists, and refetches rows by `node`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Suspense } from "react";
import { RelayEnvironmentProvider } from "react-relay";
import { act, create, type ReactTestRenderer } from "react-test-renderer";
import { member } from "../typed/clients.js";
import { environment } from "./environment.js";
import { Projects, type Hands } from "./projects.js";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

test("pages of projects, of their issues, and a refetched row", async () => {
  const relay = environment((await member()).token);
  const hands: Hands = { moreIssues: new Map(), moreComments: new Map() };
  let page!: ReactTestRenderer;
  const shown = (type: "ul" | "ol" | "i") => page.root.findAllByType(type);
  const settle = async (what: () => void, done: () => boolean) => {
    await act(async () => what());
    const deadline = Date.now() + 10_000;
    while (!done()) {
      assert.ok(Date.now() < deadline, "nothing changed within 10 s");
      await act(() => new Promise((resolve) => setTimeout(resolve, 10)));
    }
  };

  await settle(
    () => {
      page = create(
        <RelayEnvironmentProvider environment={relay}>
          <Suspense fallback="wait">
            <Projects hands={hands} />
          </Suspense>
        </RelayEnvironmentProvider>,
      );
    },
    () => shown("ul").length === 1,
  );
  const projects = () => page.root.findByType("ul").findAll(({ type, props }) => type === "li" && props.title);
  assert.equal(projects().length, 2);
  await settle(hands.moreProjects!, () => projects().length > 2);
  const names = projects().map(({ props }) => props.title);
  assert.deepEqual(names, names.toSorted());
  assert.equal(new Set(names).size, names.length);

  const [name, more] = [...hands.moreIssues][0]!;
  const issues = () => projects().find(({ props }) => props.title === name)!.findByType("ol");
  const numbers = () => issues().findAll(({ type }) => type === "li").map(({ props }) => props.value);
  assert.equal(numbers().length, 2);
  await settle(more, () => numbers().length > 2);
  while (hands.moreIssues.has(name)) {
    const before = numbers().length;
    await settle(hands.moreIssues.get(name)!, () => numbers().length > before);
  }
  assert.equal(numbers().length, Number(issues().props.title), "all pages together are the list");
  assert.deepEqual(numbers(), numbers().toSorted((a, b) => a - b));

  const talked = shown("i").find(({ props }) => Number(props.title) > 1)!;
  const { id, title } = talked.props;
  const comments = () => shown("i").find(({ props }) => props.id === id)?.findAllByType("b").length;
  assert.equal(comments(), 1);
  await settle(hands.moreComments.get(id)!, () => comments() === Number(title));
  await act(async () => page.unmount());
});

// A day with urql: what TypeScript says of the answers is what they are.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { anonymous, base, client, member } from "./clients.js";
import { SignUp } from "./platform.js";
import { unmask, type DocumentType } from "./tenant/index.js";
import type { IssueFilter, IssueOrder } from "./tenant/graphql.js";
import {
  AddLabels, Again, CloseIssues, Dashboard, EditIssue, FileIssue, IssueCard, Issues, Person, Viewer,
} from "./tenant.js";

type Card = DocumentType<typeof IssueCard>;

test("somebody signs up, and the workspace answers at once", async () => {
  const subdomain = `typed-${randomUUID().slice(0, 8)}`;
  const input = {
    organization: "Typed", subdomain, name: "Tess", email: `tess@${subdomain}.test`, password: "a long password",
  };
  const signedUp = await base.mutation(SignUp, { input }).toPromise();
  assert.equal(signedUp.error, undefined);
  const { tenant, url, accessToken } = signedUp.data!.signUp;
  assert.equal(tenant.subdomain, subdomain);
  const { data } = await client(new URL("/graphql", url).href, accessToken).query(Viewer, {});
  assert.equal(data?.viewer?.name, "Tess");

  const again = await base.mutation(SignUp, { input });
  assert.equal(again.error?.graphQLErrors[0]?.extensions.code, "CONFLICT");
});

test("a list is read page by page", async () => {
  const ada = (await member()).client;
  const orderBy: IssueOrder[] = [{ priority: "DESC" }, { dueDate: "ASC_NULLS_LAST" }];
  const where: IssueFilter = { status: { in: ["OPEN", "DONE"] } };
  const page = (after: string | null) => ada.query(Issues, { project: "SHOP", first: 5, where, orderBy, after });
  const cards: Card[] = [];
  let after: string | null = null;
  let total: number;
  do {
    const { data, error } = await page(after);
    assert.equal(error, undefined);
    const { issues } = data!.projectByKey!;
    cards.push(...issues.edges.map(({ node }) => unmask(IssueCard, node)));
    total = issues.totalCount;
    after = issues.pageInfo.hasNextPage ? (issues.pageInfo.endCursor ?? null) : null;
  } while (after);
  assert.ok(total > 5);
  assert.equal(cards.length, total);
  assert.equal(new Set(cards.map(({ id }) => id)).size, total);
  assert.ok(cards.every(({ status }) => status === "OPEN" || status === "DONE"));
  const somebody = cards.map(({ assignee }) => unmask(Person, assignee)).find((person) => person);
  assert.equal(somebody?.__typename, "User");
});

test("scalars are what the types say", async () => {
  const ada = (await member()).client;
  const projectId = (await ada.query(Issues, { project: "SHOP", first: 1 })).data!.projectByKey!.id;
  const input = {
    projectId, title: "Typed", dueDate: "2026-12-24", estimateHours: "2.5", customFields: { build: [1, { a: null }] },
  };
  const filed = await ada.mutation(FileIssue, { input });
  assert.equal(filed.error, undefined);
  const issue = unmask(IssueCard, filed.data!.createIssue)!;
  assert.match(issue.id, /^[0-9a-f-]{36}$/);
  assert.equal(new Date(issue.createdAt).toISOString().slice(0, 16), new Date().toISOString().slice(0, 16));
  assert.deepEqual(
    [issue.dueDate, issue.estimateHours, issue.customFields, issue.status, issue.labels.nodes],
    ["2026-12-24", "2.5", { build: [1, { a: null }] }, "OPEN", []],
  );

  const edited = await ada.mutation(EditIssue, {
    id: issue.id,
    set: { assigneeId: null, priority: "URGENT", increment: { estimateHours: "0.5" }, append: { customFields: { more: 1 } } },
  });
  assert.equal(edited.error, undefined);
  const now = unmask(IssueCard, edited.data!.updateIssue)!;
  assert.deepEqual(
    [now.priority, now.estimateHours, now.customFields],
    ["URGENT", "3.0", { build: [1, { a: null }], more: 1 }],
  );

  const again = (await ada.query(Again, { nodeId: issue.nodeId })).data!.node!;
  assert.ok(again.__typename === "Issue");
  assert.equal(unmask(IssueCard, again).id, issue.id);

  const closed = await ada.mutation(CloseIssues, { where: { id: { eq: issue.id } } });
  assert.equal(closed.data!.updateIssues.affectedCount, 1);
  assert.ok(closed.data!.updateIssues.nodes[0]!.closedAt);
});

test("a dashboard", async () => {
  const ada = (await member()).client;
  const { data, error } = await ada.query(Dashboard, {});
  assert.equal(error, undefined);
  const [most] = data!.issues.groups;
  assert.ok(most!.count > 0 && most!.key.status && most!.key.createdAt?.endsWith("-01T00:00:00Z"));
  const { sum, avg } = most!.aggregates;
  assert.equal(typeof sum.number, "string"); // a BigInt
  assert.equal(typeof avg.number, "number");
});

test("errors have codes", async () => {
  const nobody = await anonymous.query(Viewer, {});
  assert.equal(nobody.error?.graphQLErrors[0]?.extensions.code, "UNAUTHENTICATED");
  assert.equal(nobody.error?.response?.status, 401);

  const ada = (await member()).client;
  const twice = await ada.mutation(AddLabels, { inputs: [{ name: "twice" }, { name: "twice" }] });
  const [error] = twice.error!.graphQLErrors;
  assert.deepEqual(error!.path, ["createLabels"]);
  assert.deepEqual(error!.extensions, {
    code: "UNIQUE_VIOLATION", constraint: "labels_name_key", fields: ["name"],
  });
  const bad = await ada.query(Again, { nodeId: "nonsense" });
  assert.equal(bad.error?.graphQLErrors[0]?.extensions.code, "BAD_USER_INPUT");
});

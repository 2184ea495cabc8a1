// Apollo Client with its normalized cache: pages are joined, and what a mutation answers is seen everywhere.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { relayStylePagination } from "@apollo/client/utilities";
import { fetch, tenant } from "../service.js";
import { member } from "./clients.js";
import { unmask, type DocumentType } from "./tenant/index.js";
import { EditIssue, IssueCard, Issues } from "./tenant.js";

const cache = () =>
  new InMemoryCache({
    possibleTypes: { Node: ["Comment", "Issue", "IssueLabel", "Label", "Project", "User"] },
    dataIdFromObject: (row) => row.nodeId as string | undefined,
    typePolicies: { Project: { fields: { issues: relayStylePagination(["where", "orderBy"]) } } },
  });

test("lists grow page by page, and rows change where they are shown", async () => {
  const { token } = await member();
  const sent: string[] = [];
  const http = new HttpLink({
    uri: tenant,
    headers: { authorization: `Bearer ${token}` },
    fetch: (url, init) => {
      sent.push(String(init?.body));
      return fetch(url, init);
    },
  });
  const persisted = new PersistedQueryLink({ sha256: (text) => createHash("sha256").update(text).digest("hex") });
  const apollo = new ApolloClient({ cache: cache(), link: persisted.concat(http) });
  const list = apollo.watchQuery({ query: Issues, variables: { project: "SHOP", first: 3 } });
  const watching = list.subscribe({});
  const shown = () => (list.getCurrentResult().data as DocumentType<typeof Issues>).projectByKey!.issues.edges;
  // Watchers hear of changes a moment later.
  const shows = async (what: (edges: ReturnType<typeof shown>) => boolean) => {
    for (let tries = 0; !what(shown()); tries += 1) {
      assert.ok(tries < 500, "nothing changed within 5 s");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  const first = (await list.refetch()).data!.projectByKey!.issues;
  assert.equal(first.edges.length, 3);
  await list.fetchMore({ variables: { after: first.pageInfo.endCursor ?? null } });
  await shows((edges) => edges.length === 6);

  const { id, title } = unmask(IssueCard, shown()[4]!.node);
  for (const now of [`${title}, edited`, title]) {
    await apollo.mutate({ mutation: EditIssue, variables: { id, set: { title: now } } });
    await shows((edges) => unmask(IssueCard, edges[4]!.node).title === now);
  }
  assert.ok(sent.some((body) => !("query" in JSON.parse(body))), "queries go by their hash alone");

  const blank = apollo.mutate({ mutation: EditIssue, variables: { id, set: { title: " " } } });
  await assert.rejects(blank, (error) => {
    assert.ok(CombinedGraphQLErrors.is(error));
    assert.equal(error.errors[0]?.extensions?.code, "CHECK_VIOLATION");
    return true;
  });
  watching.unsubscribe();
  apollo.stop();
});

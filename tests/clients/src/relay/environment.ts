// Relay, told that rows are identified by `nodeId`.
import { Environment, Network, RecordSource, Store } from "relay-runtime";
import { fetch, tenant } from "../service.js";

export function environment(token: string): Environment {
  return new Environment({
    network: Network.create(async ({ text }, variables) => {
      const response = await fetch(tenant, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: JSON.stringify({ query: text, variables }),
      });
      return response.json();
    }),
    store: new Store(new RecordSource()),
    getDataID: (row) => row.nodeId,
  });
}

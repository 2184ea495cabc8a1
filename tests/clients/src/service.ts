// The service under test. Environment:
// TENANTRY_URL       a tenant's address with the demo data, e.g. http://acme.localhost:8080
// TENANTRY_BASE_URL  the platform's address, e.g. http://localhost:8080
import type { LookupFunction } from "node:net";
import { Agent, fetch as send, type RequestInfo, type RequestInit } from "undici";

export const tenant = endpoint("TENANTRY_URL");
export const platform = endpoint("TENANTRY_BASE_URL");

/** What `fetch` does, for names below localhost too, which not every resolver knows (RFC 6761 asks for it). */
export const fetch = ((url: RequestInfo, init?: RequestInit) =>
  send(url, { ...init, dispatcher })) as unknown as typeof globalThis.fetch;

const lookup: LookupFunction = (_, { all }, done) =>
  all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
const dispatcher = new Agent({ connect: { lookup } });

function endpoint(name: string): string {
  const address = process.env[name];
  if (!address) throw new Error(`${name} is not set`);
  return new URL("/graphql", address).href;
}

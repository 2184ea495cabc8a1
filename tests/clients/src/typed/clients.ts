// A client for each identity: urql's, which is what the tests ask by.
import { Client, fetchExchange } from "@urql/core";
import { fetch, platform, tenant } from "../service.js";
import { LogIn } from "./tenant.js";

export function client(url: string, token?: string): Client {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  return new Client({ url, fetch, fetchOptions: { headers }, exchanges: [fetchExchange], preferGetMethod: false });
}

export const anonymous = client(tenant);
export const base = client(platform);

/** Ada of Acme. */
export async function member(): Promise<{ client: Client; token: string }> {
  const input = { email: "ada@acme.test", password: "demo-password" };
  const { data, error } = await anonymous.mutation(LogIn, { input });
  if (!data) throw error;
  const token = data.logIn.accessToken!; // no cookies were asked for
  return { client: client(tenant, token), token };
}

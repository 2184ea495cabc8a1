// Runs graphql-http's audits of the GraphQL over HTTP specification against a running `tenantry dev`. Environment:
// TENANTRY_URL       a tenant's address with the demo data, e.g. http://acme.localhost:8080
// TENANTRY_BASE_URL  the platform's address, e.g. http://localhost:8080
import http from "node:http";
import { serverAudits } from "graphql-http";

const EMAIL = "ada@acme.test";
const PASSWORD = "demo-password";

const tenant = endpoint("TENANTRY_URL");
const platform = endpoint("TENANTRY_BASE_URL");
const member = { authorization: `Bearer ${await logIn()}` };

const refused = [
  ...(await audit("the tenant, anonymous", tenant, {})),
  ...(await audit("the tenant, as a member", tenant, member)),
  ...(await audit("the platform", platform, {})),
];
if (refused.length > 0) {
  console.error(`not as the specification has it:\n${refused.join("\n")}`);
  process.exitCode = 1;
}

/** Prints what isn't well; answers with what must or should have been. */
async function audit(whom, url, headers) {
  const fetchFn = (url, init) => request(url, { ...init, headers: { ...init?.headers, ...headers } });
  const refused = [];
  let passed = 0;
  for (const { id, name, fn } of serverAudits({ url, fetchFn })) {
    const result = await fn();
    if (result.status === "ok") {
      passed += 1;
      continue;
    }
    const line = `${whom}: ${id} ${name}: ${result.reason} (${result.response?.status})`;
    console.log(line);
    if (!name.startsWith("MAY")) refused.push(line);
  }
  // A new version of the package that found nothing to ask would pass otherwise.
  if (passed < 40) refused.push(`${whom}: only ${passed} audits passed`);
  console.log(`${whom}: ${passed} passed, ${refused.length} failed`);
  return refused;
}

async function logIn() {
  const query = "mutation ($input: LogInInput!) { logIn(input: $input) { accessToken } }";
  const response = await request(tenant, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables: { input: { email: EMAIL, password: PASSWORD } } }),
  });
  const { data, errors } = await response.json();
  if (!data?.logIn) throw new Error(`cannot log in: ${JSON.stringify(errors)}`);
  return data.logIn.accessToken;
}

/** What `fetch` does, for names below localhost too, which not every resolver knows (RFC 6761 asks for it). */
function request(url, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const lookup = (_, { all }, done) =>
      all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
    const sent = http.request(url, { method, headers, lookup, timeout: 10_000 }, async (answer) => {
      try {
        const chunks = await answer.toArray();
        resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode, headers: answer.headers }));
      } catch (error) {
        reject(error);
      }
    });
    sent.on("error", reject);
    sent.on("timeout", () => sent.destroy(new Error(`no answer from ${url} within 10 s`)));
    sent.end(body);
  });
}

function endpoint(name) {
  const address = process.env[name];
  if (!address) throw new Error(`${name} is not set`);
  return new URL("/graphql", address).href;
}

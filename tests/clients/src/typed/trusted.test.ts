// A service that runs nothing but the documents of graphql-codegen's manifest.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fetch } from "../service.js";
import { LogIn, Viewer } from "./tenant.js";

let home: string;
let url: string;
let service: ReturnType<typeof spawn>;

before(async () => {
  home = await mkdtemp(join(tmpdir(), "tenantry-trusted-"));
  await chmod(home, 0o755); // Postgres has an account of its own, when root starts it.
  const trusted = "tests/clients/src/typed/tenant";
  const dev = ["run", "--quiet", "--locked", "--", "dev", "--port", "0", "--data-dir", join(home, "data")];
  service = spawn("cargo", [...dev, "--trusted-documents", trusted], {
    cwd: "../..",
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TENANTRY_LOG: "warn" },
  });
  for await (const line of createInterface(service.stdout!)) {
    const ready = /^ready (.*)/.exec(line)?.[1];
    if (ready) {
      url = ready.replace("localhost", "acme.localhost") + "/graphql";
      return;
    }
  }
  throw new Error("tenantry dev did not become ready");
});

after(async () => {
  if (service.exitCode === null) {
    service.kill();
    await once(service, "exit");
  }
  await rm(home, { recursive: true, force: true });
});

async function post(body: unknown, token?: string) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return (await response.json()) as { data?: any; errors?: [{ extensions: { code: string } }] };
}

/** What graphql-codegen names a document by, which its types do not tell. */
const id = (document: object) => (document as { __meta__: { hash: string } }).__meta__.hash;

test("documents are named by their hash, and others are refused", async () => {
  const input = { email: "ada@acme.test", password: "demo-password" };
  const loggedIn = await post({ documentId: id(LogIn), variables: { input } });
  const token = loggedIn.data.logIn.accessToken;
  const viewer = await post({ documentId: id(Viewer) }, token);
  assert.equal(viewer.data.viewer.email, input.email);
  const other = await post({ query: "{ viewer { id } }" }, token);
  assert.equal(other.errors?.[0].extensions.code, "DOCUMENT_NOT_TRUSTED");
});

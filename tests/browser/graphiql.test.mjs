// Uses GraphiQL as a person does, in Chromium, against a running server. Environment:
// TENANTRY_URL       a tenant's address with the demo data, e.g. http://acme.localhost:8080
// TENANTRY_BASE_URL  the platform's address, e.g. http://localhost:8080
// SCREENSHOT         where to save a picture of the page with rows in it (optional)
// CHROMIUM           the browser's executable (default: /usr/bin/chromium)
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const TENANT = required("TENANTRY_URL");
const PLATFORM = required("TENANTRY_BASE_URL");
const EMAIL = "ada@acme.test";
const PASSWORD = "demo-password";
const QUERY = "{ projects(first: 3) { totalCount nodes { name } } }";

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});
after(() => browser?.close());

test("a tenant's user signs in, sees rows, reloads and signs out", async () => {
  const { page, problems } = await open(TENANT);
  await introspected(page);

  await signIn(page, "not the password");
  await page.getByRole("status").filter({ hasText: /\w/ }).filter({ hasNotText: "Signing in" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Sign out" }).count(), 0, "a wrong password signs nobody in");
  forgive(problems, /status of 40[013]/);

  await signIn(page, PASSWORD);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  assert.match(await page.locator("#bar").innerText(), new RegExp(EMAIL));

  await run(page, QUERY);
  const response = await responseOf(page, /"totalCount": \d+/);
  assert.ok(!/"errors"/.test(response), response);
  assert.equal(response.match(/"name": "[^"]+"/g)?.length, 3, response);
  await page.getByRole("button", { name: /^Prettify/ }).click();
  await page.locator(".graphiql-query-editor .view-line").nth(6).waitFor();
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });

  await page.reload();
  await introspected(page);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await run(page, QUERY);
  await responseOf(page, /"totalCount": \d+/);
  assert.deepEqual(problems, []);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await run(page, QUERY);
  await responseOf(page, /UNAUTHENTICATED/);
  // The browser itself reports the refusal that this step is about.
  forgive(problems, /status of 401/);
  assert.deepEqual(problems, []);
  await page.context().close();
});

test("a session that the server no longer knows is dropped, and the page says so", async () => {
  const { page, problems } = await open(TENANT);
  await signIn(page, PASSWORD);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await page.evaluate(() => {
    const session = JSON.parse(sessionStorage.getItem("tenantry:session"));
    sessionStorage.setItem("tenantry:session", JSON.stringify({ ...session, token: "no.such.token" }));
  });
  await page.reload();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.match(await page.getByRole("status").innerText(), /session ended/i);
  // Introspection is public, so that the docs are there all the same.
  await introspected(page);
  forgive(problems, /status of 401/);
  assert.deepEqual(problems, []);
  await page.context().close();
});

test("a password being typed stays in its field when the schema arrives", async () => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const { page, problems } = await open(TENANT, async (page) => {
    await page.route("**/graphql", async (route) => {
      await held;
      await route.continue();
    });
  });
  const password = page.getByLabel("Password");
  await password.pressSequentially("secret ");
  release();
  // The explorer opens the arguments of the example query and would take the focus.
  await page.locator(".graphiql-explorer-root input").first().waitFor();
  await page.keyboard.type("words");
  assert.equal(await password.inputValue(), "secret words");
  assert.deepEqual(problems, []);
  await page.context().close();
});

test("the platform's page has its schema and no sign-in", async () => {
  const { page, problems } = await open(PLATFORM);
  await introspected(page);
  assert.equal(await page.getByRole("button", { name: "Sign in" }).count(), 0);
  await shown(page, ".graphiql-query-editor", /signUp/);
  assert.deepEqual(problems, []);
  await page.context().close();
});

/** Opens GraphiQL in a fresh profile and collects everything that must not happen there. */
async function open(address, prepare) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const problems = [];
  const origin = new URL(address).origin;
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== origin) problems.push(`left the origin: ${url}`);
  });
  page.on("worker", (worker) => {
    if (new URL(worker.url()).protocol === "blob:") problems.push(`a blob: worker: ${worker.url()}`);
  });
  page.on("console", (message) => {
    // Violations of the Content-Security-Policy arrive here too.
    if (message.type() === "error") problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) =>
      console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });

  await prepare?.(page);
  const response = await page.goto(new URL("/graphiql", address).href);
  assert.equal(response.status(), 200);
  assert.match(response.headers()["content-security-policy"] ?? "", /default-src 'none'/);
  return { page, problems };
}

/** Waits until the docs show the root types, which takes the schema. */
async function introspected(page) {
  const show = page.getByRole("button", { name: "Show Documentation Explorer" });
  const hide = page.getByRole("button", { name: "Hide Documentation Explorer" });
  await show.or(hide).waitFor();
  if (await show.isVisible()) await show.click();
  await page.locator(".graphiql-doc-explorer-content").getByText("Query", { exact: true }).waitFor();
}

async function signIn(page, password) {
  await page.getByLabel("Email").fill(EMAIL);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Types over what is in the query editor and presses Ctrl+Enter. */
async function run(page, query) {
  await page.locator(".graphiql-query-editor .monaco-editor .view-lines").click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(query);
  await page.keyboard.press("ControlOrMeta+Enter");
}

const responseOf = (page, expected) => shown(page, ".graphiql-response", expected);

/**
 * The text of a Monaco editor, once it is as expected: an editor appears before its text does.
 * Its lines are elements in any order, with non-breaking spaces.
 */
async function shown(page, editor, expected) {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const lines = await page.locator(`${editor} .view-line`).allInnerTexts();
    const text = lines.join("\n").replaceAll("\u00a0", " ");
    if (expected.test(text)) return text;
    assert.ok(Date.now() < deadline, `no ${expected} in ${editor}: ${text}`);
    await page.waitForTimeout(50);
  }
}

/** Takes out the problems that the step before was bound to cause. */
function forgive(problems, expected) {
  problems.splice(0, problems.length, ...problems.filter((problem) => !expected.test(problem)));
}

function required(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

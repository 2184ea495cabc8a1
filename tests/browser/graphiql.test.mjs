// Uses GraphiQL as a person does, in Chromium, against a running server. Environment:
// TENANTRY_URL       a tenant's address with the demo data, e.g. http://acme.localhost:8080; its access tokens
//                    have to expire within seconds (--token-lifetime 3)
// TENANTRY_BASE_URL  the platform's address, e.g. http://localhost:8080
// TENANT_SQL         the directory with the service's migrations; a test adds some
// SCREENSHOT         where to save a picture of the page with rows in it (optional)
// CHROMIUM           the browser's executable (default: /usr/bin/chromium)
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const TENANT = required("TENANTRY_URL");
const PLATFORM = required("TENANTRY_BASE_URL");
const TENANT_SQL = required("TENANT_SQL");
const EMAIL = "ada@acme.test";
const PASSWORD = "demo-password";
const ACCESS = "tenantry-access";
const REFRESH = "tenantry-refresh";
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

test("expired tokens are renewed, once for all that ask, and none is in a script's reach", async () => {
  const { page, problems } = await open(TENANT);
  await introspected(page);
  await signIn(page, PASSWORD);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  const kept = await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.match(kept, new RegExp(EMAIL));
  assert.doesNotMatch(kept, /tenantry-(access|refresh)|tnr_|eyJ/);

  const sent = operations(page);
  await expired(page);
  await run(page, QUERY);
  await responseOf(page, /"totalCount": \d+/);
  assert.deepEqual(sent, ["RefreshSession", "query"]);
  // A reload asks for the schema, and the next query doesn't wait for it.
  await expired(page);
  sent.length = 0;
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route("**/graphql", async (route) => {
    if (/RefreshSession/.test(route.request().postData())) await held;
    await route.continue();
  });
  await page.reload();
  await shown(page, ".graphiql-query-editor", /totalCount/);
  await run(page, QUERY);
  await page.waitForTimeout(200);
  release();
  await responseOf(page, /"totalCount": \d+/);
  assert.deepEqual(sent.toSorted(), ["IntrospectionQuery", "RefreshSession", "query"]);
  assert.deepEqual(problems, []);
  await page.context().close();
});

test("a request that is refused for want of a token is repeated with a new one", async () => {
  const { page, problems } = await open(TENANT);
  await introspected(page);
  await signIn(page, PASSWORD);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await page.context().clearCookies({ name: ACCESS });
  // As if this machine's clock were late.
  await page.evaluate(() => {
    const session = JSON.parse(localStorage.getItem("tenantry:session"));
    localStorage.setItem("tenantry:session", JSON.stringify({ ...session, expires: Date.now() + 3_600_000 }));
  });
  const sent = operations(page);
  await run(page, QUERY);
  await responseOf(page, /"totalCount": \d+/);
  assert.deepEqual(sent, ["query", "RefreshSession", "query"]);
  forgive(problems, /status of 401/);
  assert.deepEqual(problems, []);
  await page.context().close();
});

test("two tabs share a session until one of them signs out", async () => {
  const { page: one, problems } = await open(TENANT);
  await introspected(one);
  await signIn(one, PASSWORD);
  await one.getByRole("button", { name: "Sign out" }).waitFor();
  const { page: two, problems: others } = await tab(one.context(), TENANT);
  await introspected(two);
  await two.getByRole("button", { name: "Sign out" }).waitFor();

  for (const first of [one, two]) {
    await expired(first);
    const pages = first === one ? [one, two] : [two, one];
    for (const page of pages) await type(page, QUERY);
    await Promise.all(pages.map((page) => page.getByRole("button", { name: "Execute query" }).click()));
    for (const page of pages) await responseOf(page, /"totalCount": \d+/);
  }

  const endpoint = new URL("/graphql", TENANT).href;
  const kept = (await one.context().cookies(endpoint)).find(({ name }) => name === REFRESH);
  await one.getByRole("button", { name: "Sign out" }).click();
  await one.getByRole("button", { name: "Sign in" }).waitFor();
  await two.getByRole("button", { name: "Sign in" }).waitFor();
  assert.match(await two.getByRole("status").innerText(), /session ended in another tab/i);
  assert.deepEqual(await one.context().cookies(endpoint), []);
  assert.deepEqual([...problems, ...others], []);

  // A copy of the cookie is of no use any more.
  await one.context().addCookies([kept]);
  const refused = await one.evaluate(async () => {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ query: "mutation { refreshSession { expiresIn } }" });
    return (await fetch("/graphql", { method: "POST", headers, body })).text();
  });
  assert.match(refused, /UNAUTHENTICATED/);
  await one.context().close();
});

test("nobody is told to be signed out before the server knows of it", async () => {
  const { page, problems } = await open(TENANT);
  await signIn(page, PASSWORD);
  const button = page.getByRole("button", { name: "Sign out" });
  await button.waitFor();
  await introspected(page);
  await page.route("**/graphql", (route) => route.abort());
  await button.click();
  await page.getByRole("status").filter({ hasText: "cannot be reached" }).waitFor();
  await page.unroute("**/graphql");
  await button.click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  forgive(problems, /ERR_FAILED/);
  assert.deepEqual(problems, []);
  await page.context().close();
});

test("a session that the server no longer knows is dropped, and the page says so", async () => {
  const { page, problems } = await open(TENANT);
  await signIn(page, PASSWORD);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await expired(page);
  await page.context().clearCookies();
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

test("a migration that is written shows without a reload, and so does what is wrong with it", async () => {
  const { page, problems } = await open(TENANT);
  await introspected(page);
  await page.evaluate(() => (window.notReloaded = true));
  const file = (number, name) => join(TENANT_SQL, `V${number}__${name}.sql`);
  const last = Math.max(...readdirSync(TENANT_SQL).map((name) => Number(/^V(\d+)__/.exec(name)?.[1] ?? 0)));

  writeFileSync(file(last + 1, "moods"), "create table moods (id bigint primary key, word text);\n");
  const docs = page.locator(".graphiql-doc-explorer-content");
  await docs.getByText("Query", { exact: true }).click();
  await docs.getByText("moods", { exact: true }).waitFor();

  const broken = file(last + 2, "more");
  writeFileSync(broken, "alter table moods add column strength itn;\n");
  const alert = page.getByRole("alert").filter({ hasText: "itn" });
  await alert.waitFor();
  assert.match(await alert.innerText(), /more\.sql, line 1: .*"itn" does not exist/);
  writeFileSync(broken, "alter table moods add column strength int;\n");
  await alert.waitFor({ state: "detached" });
  await docs.getByText("moods", { exact: true }).waitFor();

  // A page that was hidden meanwhile hears of it when it is looked at.
  await visible(page, false);
  writeFileSync(file(last + 3, "feelings"), "create table feelings (id bigint primary key);\n");
  await page.waitForTimeout(1500);
  assert.equal(await docs.getByText("feelings", { exact: true }).count(), 0);
  await visible(page, true);
  await docs.getByText("feelings", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => window.notReloaded), true);
  assert.deepEqual(problems, []);
  await page.context().close();
});

/** As if the tab were hidden, or shown again. */
function visible(page, shown) {
  return page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, !shown);
}

/** Opens GraphiQL in a fresh profile. */
async function open(address, prepare) {
  return tab(await browser.newContext({ viewport: { width: 1280, height: 800 } }), address, prepare);
}

/** Opens GraphiQL and collects everything that must not happen there. */
async function tab(context, address, prepare) {
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

/** Waits until the access token has expired, when the browser drops its cookie. */
async function expired(page) {
  const deadline = Date.now() + 15_000;
  const gone = async () => {
    const cookies = await page.context().cookies(TENANT);
    return !cookies.some(({ name }) => name === ACCESS);
  };
  while (!(await gone())) {
    assert.ok(Date.now() < deadline, "access tokens live too long: start the service with --token-lifetime 3");
    await page.waitForTimeout(50);
  }
}

/** The names of the operations that the page asks for from now on. */
function operations(page) {
  const sent = [];
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/graphql") sent.push(request.postDataJSON().operationName ?? "query");
  });
  return sent;
}

/** Types over what is in the query editor and presses Ctrl+Enter. */
async function run(page, query) {
  await type(page, query);
  await page.keyboard.press("ControlOrMeta+Enter");
}

async function type(page, query) {
  await page.locator(".graphiql-query-editor .monaco-editor .view-lines").click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(query);
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

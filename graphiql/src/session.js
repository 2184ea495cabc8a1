// Who is signed in at this origin, in all of its tabs. Cookies that no script can read keep the tokens; the page only
// remembers whose they are and when to refresh them. An origin is one tenant, so a token never meets another tenant.
import { isUnauthenticated, post } from "./request.js";

const KEY = "tenantry:session";
const LOG_IN = `mutation LogIn($input: LogInInput!) {
  logIn(input: $input) { expiresIn user { name email } }
}`;
const REFRESH = "mutation RefreshSession { refreshSession { expiresIn } }";
const LOG_OUT = "mutation LogOut { logOut }";

const listeners = new Set();
let text = null;
let session = null;
let refreshing = null;
let shown = currentSession();

addEventListener("storage", () => {
  const email = currentSession()?.user.email;
  if (email !== shown?.user.email) tell(email ? "" : "Your session ended in another tab.");
});

/** `{ user: { name, email }, expires }`, or null; another object after each change, be it another tab's. */
export function currentSession() {
  const stored = localStorage.getItem(KEY);
  if (stored !== text) {
    text = stored;
    session = parsed(stored);
  }
  return session;
}

/** Calls `listener(session, notice)` after each change; `notice` is null if it was made here, or else a sentence for the user. */
export function onSessionChange(listener) {
  listeners.add(listener);
}

/** Resolves to null, or to the sentence that says why nobody was signed in. */
export async function signIn(email, password) {
  const asked = Date.now();
  const variables = { input: { email, password, cookie: true } };
  const response = await ask({ query: LOG_IN, operationName: "LogIn", variables });
  const payload = response.data?.logIn;
  if (!payload?.expiresIn) return problem(response);
  keep({ user: payload.user ?? { name: "", email }, expires: expiry(asked, payload) });
  tell(null);
  return null;
}

/** Resolves to null, or to the sentence that says why the session goes on. */
export async function signOut() {
  const response = await ask({ query: LOG_OUT, operationName: "LogOut" });
  if (typeof response.data?.logOut !== "boolean") return problem(response);
  keep(null);
  tell(null);
  return null;
}

/** Whether the access token has expired, or is about to. */
export function hasExpired({ expires }) {
  return Date.now() >= expires;
}

/** Has the tokens of `stale` renewed, once for all who ask meanwhile; drops the session if the server refuses to. */
export async function refresh(stale) {
  if (currentSession() !== stale) return;
  refreshing ??= renew(stale).finally(() => (refreshing = null));
  await refreshing;
}

async function renew(stale) {
  const asked = Date.now();
  const response = await post({ query: REFRESH, operationName: "RefreshSession" });
  // Somebody has signed out or in meanwhile, or another tab was faster.
  if (currentSession() !== stale) return;
  const payload = response.data?.refreshSession;
  if (payload) {
    keep({ ...stale, expires: expiry(asked, payload) });
  } else if (isUnauthenticated(response)) {
    keep(null);
    tell("Your session ended. Sign in to go on.");
  }
}

/** By this machine's clock and a little early: tokens count in whole seconds, and a request takes its time. */
function expiry(asked, { expiresIn }) {
  return asked + (expiresIn - 1) * 900;
}

async function ask(params) {
  try {
    return await post(params);
  } catch {
    return { errors: [{ message: "The server cannot be reached." }] };
  }
}

function problem(response) {
  return response.errors?.[0]?.message ?? "The server's answer makes no sense.";
}

function keep(next) {
  if (next) localStorage.setItem(KEY, JSON.stringify(next));
  else localStorage.removeItem(KEY);
}

function tell(notice) {
  shown = currentSession();
  for (const listener of listeners) listener(shown, notice);
}

function parsed(stored) {
  try {
    const found = JSON.parse(stored);
    return typeof found?.expires === "number" && found.user ? found : null;
  } catch {
    return null;
  }
}

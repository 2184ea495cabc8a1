// Who is signed in at this origin. An origin is one tenant, so a token never meets another tenant.
import { post, requestHeaders } from "./request.js";

const KEY = "tenantry:session";
const LOG_IN = `mutation LogIn($input: LogInInput!) {
  logIn(input: $input) { accessToken user { name email } }
}`;

const listeners = new Set();
let session = stored();

/** `{ token, user: { name, email } }`, or null. */
export function currentSession() {
  return session;
}

/** Calls `listener(session, notice)` after each change; `notice` is null or a sentence for the user. */
export function onSessionChange(listener) {
  listeners.add(listener);
}

/** Resolves to null, or to the sentence that says why nobody was signed in. */
export async function signIn(email, password) {
  const params = { query: LOG_IN, operationName: "LogIn", variables: { input: { email, password } } };
  let response;
  try {
    response = await post(params, requestHeaders(null));
  } catch {
    return "The server cannot be reached.";
  }
  const payload = response.data?.logIn;
  if (!payload?.accessToken) return response.errors?.[0]?.message ?? "The server sent no access token.";
  change({ token: payload.accessToken, user: payload.user ?? { name: "", email } });
  return null;
}

export function signOut() {
  change(null);
}

/** Drops `token`, unless somebody has signed in anew since it was sent. */
export function endSession(token) {
  if (session?.token === token) change(null, "Your session ended. Sign in to go on.");
}

function change(next, notice = null) {
  session = next;
  if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
  else sessionStorage.removeItem(KEY);
  for (const listener of listeners) listener(next, notice);
}

function stored() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY));
    return typeof found?.token === "string" && found.user ? found : null;
  } catch {
    return null;
  }
}

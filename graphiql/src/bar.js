// The bar on top of the page: where we are, who is signed in, and the form that signs in.
import { currentSession, onSessionChange, signIn, signOut } from "./session.js";

export function mountBar(bar, config) {
  bar.append(place(config));
  keepFocus(bar);
  if (config.site !== "tenant") return;

  // The status stays in place while the rest is exchanged, so that screen readers announce it.
  const status = element("p", { className: "bar-status", role: "status" });
  const account = element("div", { className: "bar-account" });
  bar.append(status, account);

  const show = (session, notice, focus) => {
    status.textContent = notice ?? "";
    account.replaceChildren(session ? signedIn(session.user, status) : form(status));
    // Whoever acted in the bar keeps the focus there; whoever works in the editor isn't disturbed.
    if (focus) account.querySelector("input, button").focus();
  };
  onSessionChange((session, notice) => show(session, notice, notice === null));
  show(currentSession(), null, false);
}

/** Shows what is wrong with the SQL files below the bar's other parts; nothing when `text` is null. */
export function showProblem(text) {
  const bar = document.getElementById("bar");
  const shown = bar.querySelector(".bar-problem");
  if (text === (shown?.textContent ?? null)) return;
  shown?.remove();
  if (text !== null) bar.append(element("pre", { className: "bar-problem", role: "alert", textContent: text }));
}

function place(config) {
  const where = config.site === "tenant" ? config.tenant : "Platform";
  return element("div", { className: "bar-place" }, [
    element("span", { className: "bar-mark", ariaHidden: "true" }),
    element("span", { className: "bar-product", textContent: "Tenantry" }),
    element("h1", { className: "bar-site", textContent: where }),
  ]);
}

function signedIn(user, status) {
  const initial = (user.name || user.email).slice(0, 1).toUpperCase();
  const button = element("button", { type: "button", textContent: "Sign out" });
  button.addEventListener("click", async () => {
    button.disabled = true;
    const problem = await signOut();
    if (problem === null) return;
    button.disabled = false;
    status.textContent = problem;
  });
  return element("div", { className: "bar-user" }, [
    element("span", { className: "bar-avatar", ariaHidden: "true", textContent: initial }),
    element("span", { className: "bar-name", title: `Signed in as ${user.email}` }, [
      element("span", { className: "visually-hidden", textContent: "Signed in as " }),
      element("strong", { textContent: user.name || user.email }),
      element("span", { className: "bar-email", textContent: user.name ? ` ${user.email}` : "" }),
    ]),
    button,
  ]);
}

function form(status) {
  const email = field("Email", { type: "email", name: "email", autocomplete: "username" });
  const password = field("Password", { type: "password", name: "password", autocomplete: "current-password" });
  const button = element("button", { type: "submit", textContent: "Sign in" });
  const form = element("form", { className: "bar-form", ariaLabel: "Sign in" }, [email, password, button]);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = new FormData(form);
    button.disabled = true;
    status.textContent = "Signing in …";
    const problem = await signIn(values.get("email"), values.get("password"));
    if (problem === null) return;
    button.disabled = false;
    status.textContent = problem;
    form.elements.password.select();
  });
  return form;
}

function field(label, properties) {
  const input = element("input", { ...properties, placeholder: label, required: true });
  return element("label", {}, [element("span", { className: "visually-hidden", textContent: label }), input]);
}

/**
 * The explorer's inputs focus themselves as they appear, which they do when the schema arrives. Whoever types
 * a password at that moment would put the rest of it into the query, and whoever has done nothing yet would
 * start in the middle of the page.
 */
function keepFocus(bar) {
  const { focus } = HTMLInputElement.prototype;
  HTMLInputElement.prototype.focus = function (options) {
    const wanted = navigator.userActivation.hasBeenActive && !bar.contains(document.activeElement);
    if (wanted || !this.closest(".graphiql-explorer-root")) focus.call(this, options);
  };
}

function element(name, properties = {}, children = []) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

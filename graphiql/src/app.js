// Puts the page together: the bar on top, GraphiQL with its plugins below.
import "./workers.js";
import { createElement as h, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { mountBar, showProblem } from "./bar.js";
import { example, placeholder } from "./example.js";
import { fetcher } from "./fetcher.js";
import { listen } from "./news.js";

const CONFIG = "/graphiql/config.json";

/** Asks the server what stands at this origin, then shows it. */
export async function start() {
  const main = document.getElementById("graphiql");
  try {
    const response = await fetch(CONFIG, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`${CONFIG} answered with HTTP ${response.status}.`);
    const config = await response.json();
    document.title = `${config.tenant ?? "Platform"} · GraphiQL`;
    mountBar(document.getElementById("bar"), config);
    createRoot(main).render(h(Page, { config }));
  } catch (error) {
    const notice = document.createElement("p");
    notice.className = "loading";
    notice.setAttribute("role", "alert");
    notice.textContent = `GraphiQL could not start: ${error.message}`;
    main.replaceChildren(notice);
  }
}

const explorer = explorerPlugin({ showAttribution: false });
const plugins = [HISTORY_PLUGIN, explorer];
// GraphiQL remembers which pane is open, and stores an empty string for "none": only a first visit has no entry.
const firstPlugin = localStorage.getItem("graphiql:visiblePlugin") === null ? explorer : undefined;

function Page({ config }) {
  return h(
    GraphiQL,
    {
      fetcher,
      plugins,
      visiblePlugin: firstPlugin,
      defaultQuery: placeholder(config),
      inputValueDeprecation: true,
      schemaDescription: true,
      // `null` means: there is no schema, and nothing to ask for either.
      schema: config.introspection ? undefined : null,
    },
    h(GraphiQL.Logo, null, " "),
    h(FirstQuery, { config }),
    config.schema ? h(News, { config }) : null,
  );
}

/** Keeps the schema true while its tables are worked on. */
function News({ config }) {
  const { introspect } = useGraphiQLActions();
  useEffect(() => listen(config.schema, { changed: introspect, problem: showProblem }), [config, introspect]);
  return null;
}

/** Replaces the untouched placeholder once the schema is known. */
function FirstQuery({ config }) {
  const schema = useGraphiQL((state) => state.schema);
  const editor = useGraphiQL((state) => state.queryEditor);
  useEffect(() => {
    if (!schema || editor?.getValue() !== placeholder(config)) return;
    const text = example(config, schema);
    if (text) editor.setValue(text);
  }, [config, schema, editor]);
  return null;
}

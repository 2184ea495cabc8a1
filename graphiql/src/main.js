// The entry of both pages: the bundled one (index.html) and the one that takes its packages from a CDN (cdn.html).
import("./app.js").then(
  ({ start }) => start(),
  // Most likely a CDN out of reach, or the assets of a server that has been replaced since the page was opened.
  (error) => {
    console.error(error);
    document.querySelector(".loading").textContent = "GraphiQL could not be loaded. Try to reload the page.";
  },
);

// Builds the page into static files of one origin, with a gzip copy beside each file that shrinks.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig } from "vite";

export default defineConfig({
  base: "/graphiql/",
  build: {
    outDir: "dist",
    assetsDir: "assets",
    // Monaco is one big chunk however it is cut; the warning would come with every build.
    chunkSizeWarningLimit: 8192,
    // Inline scripts are what the Content-Security-Policy forbids; every target has modulepreload.
    modulePreload: { polyfill: false },
    target: "es2022",
    // "use client" marks in the packages mean nothing here, and bury every other warning.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  // Without this, Vite looks for a PostCSS configuration in every folder above.
  css: { postcss: {} },
  worker: { format: "es" },
  plugins: [gzipCopies()],
});

/** Compresses once at build time, so that the server only picks the copy that the browser accepts. */
function gzipCopies() {
  let outDir;
  return {
    name: "gzip-copies",
    apply: "build",
    configResolved(config) {
      outDir = join(config.root, config.build.outDir);
    },
    closeBundle() {
      const assets = join(outDir, "assets");
      for (const name of readdirSync(assets)) {
        const plain = readFileSync(join(assets, name));
        const packed = gzipSync(plain, { level: 9 });
        if (packed.length < plain.length * 0.9) writeFileSync(join(assets, `${name}.gz`), packed);
      }
    },
  };
}

// How the console is built: hashed files under dist/assets, addresses relative, nothing inside the page itself.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const api = process.env.LONGTAIL_API_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  plugins: [svelte()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the content policy allows files of this origin, and nothing in the page
    chunkSizeWarningLimit: 1200,
    modulePreload: { polyfill: false },
  },
  server: { host: "127.0.0.1", port: 5173, strictPort: true, proxy: { "/v1": { target: api } } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});

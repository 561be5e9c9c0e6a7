// The browser's tests: Debian's Chromium on a whole installation, which `cargo test --test end_to_end web` starts and names in SM_WEB_….
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "browser",
  // One after the other: they share an installation, and a machine of two cores.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  // Generous: they only bound a failure.
  timeout: 240_000,
  expect: { timeout: 60_000 },
  reporter: [["list"]],
  outputDir: `${process.env.SM_WEB_SCREENS ?? "../../target/screens"}/failures`,
  use: {
    baseURL: process.env.SM_WEB_URL,
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--autoplay-policy=no-user-gesture-required",
      ],
    },
  },
});

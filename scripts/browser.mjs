/** A headless Chrome or Chromium of this machine, for the pictures of the documents. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const installed = [
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

export async function launchBrowser() {
  const executablePath = process.env.CHROME ?? installed.find((file) => existsSync(file));
  if (!executablePath) {
    console.error('found no Chrome or Chromium: set CHROME to its path');
    process.exit(2);
  }
  return await chromium.launch({
    executablePath,
    // Chrome's sandbox does not work as root.
    chromiumSandbox: process.getuid?.() !== 0,
    // A container's /dev/shm is too small.
    args: ['--disable-dev-shm-usage'],
  });
}

import { findBinary } from '@shop/test-servers';
import { type Browser, chromium } from 'playwright-core';

/** A headless Chrome or Chromium of this machine. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROME ?? findBinary('google-chrome') ?? findBinary('chromium');
  if (!executablePath) throw new Error('found no Chrome or Chromium: scripts/ensure-binaries.sh chromium');
  return await chromium.launch({
    executablePath,
    // Chrome's sandbox does not work as root.
    chromiumSandbox: process.getuid?.() !== 0,
    // A container's /dev/shm is too small.
    args: ['--disable-dev-shm-usage'],
  });
}

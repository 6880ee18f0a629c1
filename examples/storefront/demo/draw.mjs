// draw.mjs
//
// Draws the images of the demo products, demo/images/*.webp. Needs Chrome or Chromium (CHROME=/path/to/it if it is not found).
import { mkdirSync, writeFileSync } from 'node:fs';
import { launchBrowser } from '../../../scripts/browser.mjs';

const folder = new URL('images/', import.meta.url);

/** Each drawing stands on y = 78 of a square of 100. The first color is the ground's. */
const drawings = {
  mug: [
    '#efe3d3',
    `<path d="M64 46h8a9 9 0 0 1 0 20h-8" fill="none" stroke="#b9694a" stroke-width="5"/>
     <path d="M32 38h34v32a8 8 0 0 1-8 8H40a8 8 0 0 1-8-8z" fill="#c97b5a"/><path d="M32 38h34v10H32z" fill="#f6efe4"/>
     <ellipse cx="49" cy="38" rx="17" ry="3.4" fill="#5c3a2c"/>`,
  ],
  bowl: [
    '#e2e8e4',
    `<path d="M24 46h52c0 18-10 30-20 32H44C34 76 24 64 24 46z" fill="#5f8577"/><ellipse cx="50" cy="46" rx="26" ry="5" fill="#3f5f54"/>
     <path d="M27 55h46" stroke="#8fb0a3" stroke-width="2.4"/><circle cx="43" cy="45" r="3" fill="#d9a441"/><circle cx="52" cy="46" r="3.4" fill="#b5483a"/><circle cx="60" cy="45" r="2.6" fill="#d9a441"/>`,
  ],
  vase: [
    '#e9e2ee',
    `<path d="M50 44c-2-14-10-18-14-26M50 44c1-12 6-16 9-24M50 44V16" fill="none" stroke="#587a5e" stroke-width="2"/>
     <circle cx="36" cy="18" r="5" fill="#d77f86"/><circle cx="59" cy="20" r="5.6" fill="#e7a977"/><circle cx="50" cy="14" r="4.6" fill="#f0d28a"/>
     <path d="M45 42h10c0 8 10 10 10 22 0 9-6 14-10 14H45c-4 0-10-5-10-14 0-12 10-14 10-22z" fill="#f7f2ea"/><path d="M36 62c8 4 20 4 28 0" fill="none" stroke="#8b7aa8" stroke-width="2.4"/>`,
  ],
  teapot: [
    '#dfe7ec',
    `<path d="M69 52c10-1 8-14 16-14" fill="none" stroke="#33566b" stroke-width="6" stroke-linecap="round"/><path d="M31 50c-14-6-18 16-2 18" fill="none" stroke="#33566b" stroke-width="5"/>
     <path d="M30 60c0-13 9-20 20-20s20 7 20 20c0 12-6 18-10 18H40c-4 0-10-6-10-18z" fill="#416f8a"/><path d="M39 42h22" stroke="#2a475a" stroke-width="3" stroke-linecap="round"/><circle cx="50" cy="36" r="4" fill="#d9a441"/>`,
  ],
  lamp: [
    '#f1e6cf',
    `<path d="M34 22 66 22 76 46H24z" fill="#2f4f4a"/><path d="M30 46h40l10 32H20z" fill="#fbe9b0" opacity=".75"/><path d="M50 46v30" stroke="#6b5233" stroke-width="3.4"/><rect x="37" y="74" width="26" height="4.6" rx="2.3" fill="#6b5233"/>`,
  ],
  candle: [
    '#e6dfd6',
    `<path d="M50 20c5 6 6 9 6 12a6 6 0 0 1-12 0c0-3 1-6 6-12z" fill="#eeb04a"/><path d="M50 27c2.4 3 3 4.400 3 6a3 3 0 0 1-6 0c0-1.600.6-3 3-6z" fill="#fff3cd"/>
     <path d="M50 37v6" stroke="#4a3b2c" stroke-width="1.600"/><rect x="40" y="42" width="20" height="36" rx="3" fill="#e3c27c"/><path d="M40 45c3 6 6-1 8 5s5-2 6 3 4-2 6-1v-7H40z" fill="#f0d9a4"/>`,
  ],
  clock: [
    '#e3e9df',
    `<circle cx="50" cy="49" r="29" fill="#8a5a3a"/><circle cx="50" cy="49" r="24.500" fill="#fbf7ef"/>
     <path d="M50 28v4M50 66v4M29 49h4M67 49h4" stroke="#8a5a3a" stroke-width="2"/><path d="M50 49V35M50 49l11 6" stroke="#2a2d2b" stroke-width="2.8" stroke-linecap="round"/><circle cx="50" cy="49" r="2.4" fill="#b5483a"/>`,
  ],
  fern: [
    '#e4ece2',
    `<g fill="none" stroke="#3f7a50" stroke-width="5" stroke-linecap="round"><path d="M50 56C48 38 36 30 24 32"/><path d="M50 56c2-18 14-26 26-24"/><path d="M50 56c0-16-2-26-8-36"/><path d="M50 56c1-14 6-24 14-32"/></g>
     <g fill="none" stroke="#6ba677" stroke-width="3" stroke-linecap="round"><path d="M50 56c-4-10-12-14-22-12"/><path d="M50 56c4-10 12-14 22-12"/></g><path d="M35 54h30l-4 24H39z" fill="#c4704a"/><path d="M33 52h34v7H33z" fill="#d4835c"/>`,
  ],
  pot: [
    '#f0e2d8',
    `<path d="M30 40h40l-6 38H36z" fill="#bf6a45"/><rect x="27" y="34" width="46" height="11" rx="2" fill="#d07e58"/><path d="M34 58h32" stroke="#d99a7b" stroke-width="2.600"/><path d="M35 64h30" stroke="#d99a7b" stroke-width="1.400"/>`,
  ],
  can: [
    '#dde8e6',
    `<path d="M62 62 84 40" stroke="#3d6f6a" stroke-width="6" stroke-linecap="round"/><path d="m79 33 11 11" stroke="#3d6f6a" stroke-width="4" stroke-linecap="round"/><path d="M30 50c-16 0-16 22 2 22" fill="none" stroke="#3d6f6a" stroke-width="4.600"/>
     <path d="M34 44c2-14 26-14 28 0" fill="none" stroke="#2c524e" stroke-width="4"/><path d="M30 44h36v28a6 6 0 0 1-6 6H36a6 6 0 0 1-6-6z" fill="#4f8a84"/>`,
  ],
  notebook: [
    '#e8e4f0',
    `<rect x="30" y="24" width="42" height="54" rx="3" fill="#43477a"/><rect x="30" y="24" width="8" height="54" rx="3" fill="#33365f"/><rect x="46" y="34" width="18" height="11" rx="1.500" fill="#f3efe6"/><path d="M66 24v54" stroke="#d9a441" stroke-width="2"/>`,
  ],
  birds: [
    '#e0eaef',
    `<rect x="28" y="22" width="46" height="56" rx="2.500" fill="#2f6b5c"/><path d="M31 75h43v3H31z" fill="#f3efe6"/><path d="M40 52c0-9 7-15 15-14 3-3 7-3 9 0l4 1-4 2c1 12-7 18-14 18l-12 5 4-6c-1-2-2-4-2-6z" fill="#e8b25a"/><path d="M47 50c6 0 9 3 9 8" fill="none" stroke="#a8722a" stroke-width="2"/><circle cx="61" cy="40.500" r="1.200" fill="#1d1d1d"/>`,
  ],
  map: [
    '#ece6d8',
    `<path d="m22 30 18-6 20 6 18-6v48l-18 6-20-6-18 6z" fill="#f8f4e9"/><path d="m40 24 20 6v48l-20-6z" fill="#e9e2cf"/><path d="M22 52c10-8 14 4 22-2s12-14 20-8 8 0 14-4" fill="none" stroke="#6f9fb2" stroke-width="3"/><path d="m30 40 4 6 5-8M64 62l5-8 5 8" fill="none" stroke="#7d9a68" stroke-width="2.400"/><circle cx="53" cy="42" r="3.200" fill="#b5483a"/>`,
  ],
  tote: [
    '#e9e4dc',
    `<path d="M40 42c0-22 20-22 20 0" fill="none" stroke="#a48a63" stroke-width="3.600"/><path d="M28 38h44l3 40H25z" fill="#dcc9a4"/><path d="M50 70c-10-6-12-12-8-16 3-3 7-1 8 2 1-3 5-5 8-2 4 4 2 10-8 16z" fill="#b5584a"/>`,
  ],
  throw: [
    '#e2e6ea',
    `<rect x="24" y="60" width="52" height="18" rx="7" fill="#7d8fa6"/><rect x="26" y="46" width="48" height="17" rx="7" fill="#93a5bb"/><rect x="28" y="33" width="44" height="16" rx="7" fill="#acbccd"/><path d="M34 38h32M32 52h36M30 67h40" stroke="#f1f4f7" stroke-width="2.200" stroke-dasharray="3 3"/>`,
  ],
  beanie: [
    '#efdfe0',
    `<circle cx="50" cy="24" r="7" fill="#f5ece6"/><path d="M28 62c0-22 8-34 22-34s22 12 22 34z" fill="#a8434c"/><path d="M40 32c-4 8-5 18-5 28M50 29v31M60 32c4 8 5 18 5 28" fill="none" stroke="#8d333c" stroke-width="2"/><rect x="25" y="60" width="50" height="15" rx="5" fill="#c15d65"/><path d="M33 60v15M41 60v15M50 60v15M59 60v15M67 60v15" stroke="#a8434c" stroke-width="2"/>`,
  ],
  loaf: [
    '#f2e7d4',
    `<path d="M22 64c-4-16 12-26 28-26s32 10 28 26c-2 10-12 14-28 14S24 74 22 64z" fill="#b5773c"/><path d="M27 60c0-10 11-16 23-16s23 6 23 16" fill="none" stroke="#d49a5a" stroke-width="4"/><path d="m36 50 8 12M48 46l8 13M60 47l6 10" stroke="#f3dfb8" stroke-width="3.200" stroke-linecap="round"/>`,
  ],
  oil: [
    '#e6e9d8',
    `<rect x="46" y="16" width="8" height="7" rx="1.500" fill="#3a3a32"/><path d="M46 23h8v12c0 5 7 6 7 14v25a4 4 0 0 1-4 4H43a4 4 0 0 1-4-4V49c0-8 7-9 7-14z" fill="#6f7a2e"/><rect x="39" y="52" width="22" height="17" fill="#f6f1e0"/><path d="M50 65c-5-3-5-8 0-10 5 2 5 7 0 10z" fill="#7d8b35"/>`,
  ],
  honey: [
    '#f5e9cc',
    `<rect x="35" y="28" width="30" height="9" rx="2.500" fill="#5e4630"/><path d="M34 38h32c4 4 5 7 5 12v20a8 8 0 0 1-8 8H37a8 8 0 0 1-8-8V50c0-5 1-8 5-12z" fill="#e2a02e"/><path d="M29 50h42v18H29z" fill="#fdf6e3"/><path d="m50 53 5 3v6l-5 3-5-3v-6z" fill="#e2a02e"/>`,
  ],
};

const browser = await launchBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 640, height: 640 } });
  const devtools = await page.context().newCDPSession(page);
  mkdirSync(folder, { recursive: true });
  for (const [name, [ground, shapes]] of Object.entries(drawings)) {
    await page.setContent(`<style>body{margin:0}svg{display:block}</style>
      <svg width="640" height="640" viewBox="0 0 100 100"><rect width="100" height="100" fill="${ground}"/>
      <path d="M0 78h100v22H0z" fill="#000" opacity=".05"/><ellipse cx="50" cy="78.500" rx="30" ry="3" fill="#000" opacity=".16"/>${shapes}</svg>`);
    const { data } = await devtools.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
    writeFileSync(new URL(`${name}.webp`, folder), Buffer.from(data, 'base64'));
  }
} finally {
  await browser.close();
}

import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { repoRoot } from '../paths';

interface AlertmanagerYml {
  receivers: {
    slack_configs?: { api_url_file: string }[];
    webhook_configs?: { url?: string; url_file?: string }[];
  }[];
}

/** Where a heartbeat goes that has no URL: nothing listens there. */
const NOWHERE = 'http://127.0.0.1:9/';

/**
 * Writes monitoring/alertmanager.yml for this machine, with the secrets in a folder of it. Debian 12 has Alertmanager 0.25, which
 * cannot read a webhook's URL from a file (0.26 can), so that URL is written into the result. @returns the file
 */
export async function renderAlertmanagerConfig({ dir, secrets }: { dir: string; secrets: string }): Promise<string> {
  const config: AlertmanagerYml = parse(await readFile(path.join(repoRoot, 'monitoring/alertmanager.yml'), 'utf8'));
  const local = (file: string) => path.join(secrets, path.basename(file));
  for (const { slack_configs = [], webhook_configs = [] } of config.receivers) {
    for (const slack of slack_configs) slack.api_url_file = local(slack.api_url_file);
    for (const webhook of webhook_configs) {
      const file = local(webhook.url_file ?? '');
      webhook.url = existsSync(file) ? (await readFile(file, 'utf8')).trim() : NOWHERE;
      delete webhook.url_file;
    }
  }
  await mkdir(dir, { recursive: true });
  const rendered = path.join(dir, 'alertmanager.yml');
  await writeFile(rendered, stringify(config), { mode: 0o600 });
  return rendered;
}

import { isUtf8 } from 'node:buffer';
import type { HttpRequest } from './request';

const MAX_BODY = 1500;

/** A curl command that repeats the request. $TOKEN stands for the caller's access token. */
export function curlOf(base: string, { method, path, headers, body }: HttpRequest): string {
  const sent = { authorization: 'Bearer $TOKEN', ...headers };
  const flags = Object.entries(sent).map(([name, value]) =>
    name === 'authorization' && value.includes('$TOKEN')
      ? `-H "${name}: ${value}"`
      : `-H ${quote(`${name}: ${value}`)}`,
  );
  const command = `curl -i --path-as-is -X ${method} ${flags.join(' ')}`;
  const target = quote(base + path);
  if (!body) return `${command} ${target}`;
  if (body.length > MAX_BODY) return `${command} --data-binary '<${body.length} bytes>' ${target}`;
  if (isUtf8(body) && !/\p{Cc}/u.test(body.toString()))
    return `${command} --data-binary ${quote(body.toString())} ${target}`;
  return `echo ${body.toString('base64')} | base64 -d | ${command} --data-binary @- ${target}`;
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** `npm run restore`. @returns the exit code */
export async function restore(_args: string[]): Promise<number> {
  return 1;
}

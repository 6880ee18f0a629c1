/** `npm run restore:drill`. @returns the exit code */
export async function drill(_args: string[]): Promise<number> {
  return 1;
}

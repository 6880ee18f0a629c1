import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import type { RecordedResource } from './record-resources';

/**
 * Pulumi generates the types of a provider's package from the provider's own schema. `tsc` reports unknown and missing fields. It
 * accepts any string where the schema lists values (`string | enums.…`), and Google's values are only in the comments. This reads
 * the same declarations and reports those too.
 */
export class ProviderSchema {
  private readonly inputs: ts.SourceFile;
  private readonly parsed = new Map<string, ts.SourceFile>();

  /** @param folder of the provider's package, for example node_modules/@pulumi/gcp */
  constructor(private readonly folder: string) {
    this.inputs = this.parse('types/input.d.ts');
  }

  /** @returns the problems, each as `type name: field: what is wrong` */
  problemsOf({ type, name, inputs }: RecordedResource): string[] {
    return this.checkInterface(this.argsOf(type), inputs, `${type} ${name}:`);
  }

  /** `gcp:compute/securityPolicy:SecurityPolicy` and `azure-native:frontdoor:Policy`. */
  private argsOf(type: string): ts.InterfaceDeclaration {
    const [, module = '', resource = ''] = type.split(':');
    const [group = '', file = `${resource.charAt(0).toLowerCase()}${resource.slice(1)}`] = module.split('/');
    const lower = (name: string) => path.join(group, `${name}.d.ts`);
    const index = this.parse(path.join(group, 'index.d.ts')).text;
    const exported = new RegExp(`\\b${resource}Args\\b[^;]*from "\\./(\\w+)"`).exec(index)?.[1];
    return interfaceIn(this.parse(lower(exported ?? file)), `${resource}Args`);
  }

  private checkInterface(declared: ts.InterfaceDeclaration, value: unknown, at: string): string[] {
    if (!isObject(value)) return [`${at} must be an object`];
    const fields = new Map(
      declared.members.filter(ts.isPropertySignature).map((field) => [field.name.getText(), field]),
    );
    const unknown = Object.keys(value).filter((name) => !fields.has(name));
    const missing = [...fields].filter(([name, { questionToken }]) => !questionToken && value[name] === undefined);
    return [
      ...unknown.map((name) => `${at} unknown field "${name}"`),
      ...missing.map(([name]) => `${at} the field "${name}" is missing`),
      ...Object.entries(value).flatMap(([name, given]) => {
        const field = fields.get(name);
        return field?.type ? this.checkField(field, field.type, given, `${at} ${name}:`) : [];
      }),
    ];
  }

  private checkField(field: ts.PropertySignature, type: ts.TypeNode, value: unknown, at: string): string[] {
    const found = this.checkType(type, value, at);
    const values = typeof value === 'string' ? valuesInComment(field) : [];
    const isListed = values.length === 0 || values.includes(String(value));
    return isListed ? found : [...found, `${at} "${value}" is none of ${values.join(', ')}`];
  }

  /** @returns no problems if one member of the type accepts the value */
  private checkType(type: ts.TypeNode, value: unknown, at: string): string[] {
    const members = membersOf(type);
    const named = members.filter(ts.isTypeReferenceNode).map((node) => node.getText());
    const enumName = named.find((name) => name.startsWith('enums.'));
    if (enumName) {
      const values = this.enumValues(enumName);
      return values.includes(value) ? [] : [`${at} "${String(value)}" is none of ${values.join(', ')}`];
    }
    const results = members.map((member) => this.checkMember(member, value, at));
    return results.some((found) => found.length === 0) ? [] : (results[0] ?? []);
  }

  private checkMember(type: ts.TypeNode, value: unknown, at: string): string[] {
    const text = type.getText();
    if (ts.isArrayTypeNode(type)) {
      if (!Array.isArray(value)) return [`${at} must be a list`];
      return value.flatMap((item, index) => this.checkType(type.elementType, item, `${at} ${index}:`));
    }
    if (ts.isTypeLiteralNode(type)) {
      const [entry] = type.members;
      if (!entry || !ts.isIndexSignatureDeclaration(entry)) throw new Error(`unknown type: ${text}`);
      if (!isObject(value)) return [`${at} must be an object`];
      return Object.entries(value).flatMap(([key, item]) => this.checkType(entry.type, item, `${at} ${key}:`));
    }
    if (ts.isLiteralTypeNode(type)) return JSON.stringify(value) === text ? [] : [`${at} must be ${text}`];
    if (text === 'any') return [];
    if (['string', 'number', 'boolean'].includes(text)) return typeof value === text ? [] : [`${at} must be a ${text}`];
    if (text === 'pulumi.asset.Asset | pulumi.asset.Archive') return [];
    const [root, ...names] = text.split('.');
    if (root !== 'inputs') throw new Error(`unknown type: ${text}`);
    return this.checkInterface(interfaceIn(this.inputs, ...names), value, at);
  }

  private enumValues(name: string): unknown[] {
    const [, group = '', constant = ''] = name.split('.');
    const file = this.parse(path.join('types/enums', group, 'index.d.ts'));
    const body = new RegExp(`const ${constant}: \\{([^}]*)\\}`).exec(file.text)?.[1] ?? '';
    // A comment of a value may contain a colon, so take only lines that declare.
    return [...body.matchAll(/^\s*readonly \S+: (.*);$/gm)].map(([, value = '']) => JSON.parse(value));
  }

  private parse(file: string): ts.SourceFile {
    const full = path.join(this.folder, file);
    if (!existsSync(full)) throw new Error(`${full} does not exist`);
    const known = this.parsed.get(full);
    if (known) return known;
    const source = ts.createSourceFile(full, readFileSync(full, 'utf8'), ts.ScriptTarget.Latest, true);
    this.parsed.set(full, source);
    return source;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `pulumi.Input<A | B | undefined>` has the members A and B. */
function membersOf(type: ts.TypeNode): ts.TypeNode[] {
  if (ts.isParenthesizedTypeNode(type)) return membersOf(type.type);
  if (ts.isUnionTypeNode(type)) return type.types.flatMap(membersOf);
  if (ts.isTypeReferenceNode(type) && type.typeName.getText() === 'pulumi.Input') {
    return (type.typeArguments ?? []).flatMap(membersOf);
  }
  return type.kind === ts.SyntaxKind.UndefinedKeyword ? [] : [type];
}

/** The values in "Possible values are: `A`, `B`." */
function valuesInComment(field: ts.PropertySignature): string[] {
  const comment = ts
    .getJSDocCommentsAndTags(field)
    .map((node) => node.getText())
    .join(' ');
  const list = /(?:Possible|Supported) values are:? ((?:`[^`]+`(?:, and |, | and |))+)/.exec(comment)?.[1] ?? '';
  return [...list.matchAll(/`([^`]+)`/g)].map(([, value = '']) => value);
}

function interfaceIn(file: ts.SourceFile, ...names: string[]): ts.InterfaceDeclaration {
  let statements: readonly ts.Statement[] = file.statements;
  for (const [index, name] of names.entries()) {
    for (const statement of statements) {
      if (index === names.length - 1 && ts.isInterfaceDeclaration(statement) && statement.name.text === name)
        return statement;
      if (
        ts.isModuleDeclaration(statement) &&
        statement.name.text === name &&
        statement.body &&
        ts.isModuleBlock(statement.body)
      ) {
        statements = statement.body.statements;
        break;
      }
    }
  }
  throw new Error(`${file.fileName}: there is no ${names.join('.')}`);
}

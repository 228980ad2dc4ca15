// For SchemaTests.cs: holds lines of the wire against the printed schema with ajv, strict, as a client in JavaScript does.
//
//   node ajv.mjs SCHEMA LINES     LINES has one {"definition":…,"line":…} a line; prints {"ajv":…,"held":…,"wrong":[…]}
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { default: Ajv } = await import('ajv/dist/2020.js');
const { default: addFormats } = await import('ajv-formats');

const schema = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const ajv = new Ajv({ strict: true, allowUnionTypes: true });
addFormats(ajv);
ajv.addSchema(schema, 'wire');
const wrong = [];
let held = 0;
for (const text of readFileSync(process.argv[3], 'utf8').split('\n')) {
  if (text === '') continue;
  const { definition, line } = JSON.parse(text);
  const check = ajv.getSchema(`wire#/$defs/${definition}`);
  held++;
  if (!check) wrong.push(`${definition}: no such definition`);
  else if (!check(line)) wrong.push(`${definition}: ${ajv.errorsText(check.errors)}`);
}
console.log(JSON.stringify({ ajv: require('ajv/package.json').version, held, wrong }));

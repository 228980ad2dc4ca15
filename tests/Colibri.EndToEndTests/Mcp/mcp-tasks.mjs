// A client of 2026-07-28 with the official extension for tasks: node mcp-tasks.mjs SERVER SOCKET. It holds each message against the extension's schemas, answers
// the question of the agent, and prints what it saw as one JSON object.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import * as tasks from '@modelcontextprotocol/ext-tasks/core/v2';

const [program, socket] = process.argv.slice(2);
const server = spawn(program, ['--socket', socket, '--write'], { stdio: ['pipe', 'pipe', 'inherit'] });
const waiting = new Map();
createInterface({ input: server.stdout }).on('line', line => {
    const message = JSON.parse(line);
    waiting.get(message.id)?.(message);
});
const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} }, extensions: { 'io.modelcontextprotocol/tasks': {} } },
};
let last = 0;
const ask = async (method, params, schema) => {
    const id = ++last;
    const answered = new Promise(resolve => waiting.set(id, resolve));
    server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta } })}\n`);
    const { result, error } = await answered;
    if (error) throw new Error(`${method}: ${error.message}`);
    schema?.parse(result);
    return result;
};

const told = { statuses: [] };
const discovered = await ask('server/discover', {});
told.extension = tasks.hasTaskServerCapabilityV2(discovered.capabilities);
const task = (await ask('tools/call', { name: 'colibri_create_task', arguments: { title: 'Say something' } })).structuredContent;
const { taskId } = await ask('tools/call', { name: 'colibri_wait', arguments: { tasks: [task.number] } }, tasks.CreateTaskResultV2Schema);
let now;
do {
    now = await ask('tasks/get', { taskId }, tasks.GetTaskResultV2Schema);
    if (told.statuses.at(-1) !== now.status) told.statuses.push(now.status);
    for (const [key, { params }] of Object.entries(now.inputRequests ?? {})) {
        const field = Object.keys(params.requestedSchema.properties)[0];
        const value = params.requestedSchema.properties[field].enum?.[0] ?? true;
        await ask('tasks/update', { taskId, inputResponses: { [key]: { action: 'accept', content: { [field]: value } } } }, tasks.UpdateTaskResultV2Schema);
    }
    await new Promise(resolve => setTimeout(resolve, 20));
} while (now.status === 'working' || now.status === 'input_required');
told.wait = now.result.structuredContent;
await ask('tasks/cancel', { taskId }, tasks.CancelTaskResultV2Schema);
server.stdin.end();
console.log(JSON.stringify(told));

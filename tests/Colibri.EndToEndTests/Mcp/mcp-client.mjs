// The official SDK's client: node mcp-client.mjs SERVER SOCKET story|question|cancel|restart|task [FILE]. What it saw goes to standard output as one JSON object; FILE is made
// once it waits.
import { writeFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CallToolResultSchema, ElicitRequestSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

const [server, socket, what, waiting] = process.argv.slice(2);
const told = { progress: [], updated: [], asked: [] };
const client = new Client({ name: 'test', version: '1' }, { capabilities: { elicitation: {} } });
client.setNotificationHandler(ResourceUpdatedNotificationSchema, changed => { told.updated.push(changed.params.uri); });
let needed;
const inputNeeded = new Promise(resolve => { needed = resolve; });
client.setRequestHandler(ElicitRequestSchema, async request => {
    told.asked.push(request.params);
    // The person takes so long that the client asks how the task is.
    if (what === 'task') await inputNeeded;
    const field = Object.keys(request.params.requestedSchema.properties)[0];
    const schema = request.params.requestedSchema.properties[field];
    return { action: 'accept', content: { [field]: schema.type === 'boolean' ? true : schema.enum?.[0] ?? 'yes' } };
});
await client.connect(new StdioClientTransport({ command: server, args: ['--socket', socket, '--write'], stderr: 'inherit' }));
// The list has the output schemas, against which the client holds each result.
await client.listTools();

const call = async (name, args, options) => {
    const result = await client.callTool({ name, arguments: args }, undefined, options);
    if (result.isError) throw new Error(result.content[0].text);
    return result;
};
const task = (await call('colibri_create_task', { title: 'Say something', key: what })).structuredContent;

if (what === 'cancel') {
    const enough = new AbortController();
    const wait = call('colibri_wait', { tasks: [task.number], timeout_seconds: 600 }, {
        signal: enough.signal,
        // The first progress says that the wait is under way.
        onprogress: () => enough.abort('enough'),
    });
    told.cancelled = await wait.then(() => 'not cancelled', error => String(error));
    told.status = (await call('colibri_get_task', { task_id: task.number })).structuredContent.status;
} else if (what === 'task') {
    const tasks = client.experimental.tasks;
    told.statuses = [];
    const stream = tasks.callToolStream({ name: 'colibri_wait', arguments: { tasks: [task.number] } }, CallToolResultSchema, { task: { ttl: 600000 } });
    for await (const message of stream) {
        const status = message.type === 'taskStatus' ? message.task.status : message.type;
        if (told.statuses.at(-1) !== status) told.statuses.push(status);
        if (status === 'input_required') needed();
        if (message.type === 'error') throw message.error;
        if (message.type === 'result') told.wait = message.result.structuredContent;
    }
    // One that is never over, to be given up.
    const held = (await call('colibri_create_task', { title: 'Wait', hold: true })).structuredContent;
    for await (const message of tasks.callToolStream({ name: 'colibri_wait', arguments: { tasks: [held.number] } }, CallToolResultSchema, { task: {} })) {
        if (message.type === 'taskCreated') await tasks.cancelTask(message.task.taskId);
    }
    told.listed = (await tasks.listTasks()).tasks.map(listed => listed.status);
} else {
    await client.subscribeResource({ uri: `colibri://task/${task.number}` });
    told.wait = (await call('colibri_wait', { tasks: [task.number], timeout_seconds: 50 }, {
        onprogress: progress => {
            told.progress.push(progress.message);
            if (waiting) writeFileSync(waiting, '');
        },
        resetTimeoutOnProgress: true,
    })).structuredContent;
    if (what === 'story') {
        told.transcript = (await call('colibri_session', { session_id: task.number })).content[0].text;
        for (let i = 0; i < 100 && told.updated.length === 0; i++) await new Promise(resolve => setTimeout(resolve, 50));
    }
}
await client.close();
console.log(JSON.stringify(told));

// The native server over HTTP, for a suite that speaks nothing else: node mcp-bridge.mjs SERVER SOCKET. Prints its address; ends with its standard input.
// Each session is a process of its own. A request's answer is the body of its response, and what the server sends besides is dropped.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const [program, socket] = process.argv.slice(2);
const sessions = new Map();

const begin = () => {
    const child = spawn(program, ['--socket', socket, '--write'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const session = { id: randomUUID(), child, waiting: new Map() };
    createInterface({ input: child.stdout }).on('line', line => {
        const message = JSON.parse(line);
        session.waiting.get(message.id)?.(line);
        session.waiting.delete(message.id);
    });
    sessions.set(session.id, session);
    return session;
};

const server = createServer(async (request, response) => {
    const end = (status, body) => response.writeHead(status, body ? { 'content-type': 'application/json' } : {}).end(body);
    if (request.method === 'GET') return end(405);
    let session = sessions.get(request.headers['mcp-session-id']);
    if (request.method === 'DELETE') {
        session?.child.stdin.end();
        return end(200);
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    const message = JSON.parse(body);
    session ??= message.method === 'initialize' ? begin() : undefined;
    if (!session) return end(404);
    response.setHeader('mcp-session-id', session.id);
    const answer = message.id === undefined ? undefined : new Promise(resolve => session.waiting.set(message.id, resolve));
    session.child.stdin.write(`${JSON.stringify(message)}\n`);
    end(answer ? 200 : 202, await answer);
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
process.stdin.resume().on('end', () => {
    for (const session of sessions.values()) session.child.stdin.end();
    server.close();
    server.closeAllConnections();
});

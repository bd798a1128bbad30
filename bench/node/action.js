// The same calls, written by hand as a Node component would: one kept connection per message in work, JSON parsed.
const http = require('http');

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const calls = {
    SystemPing: () => ['GET', '/_ping'],
    ContainerInspect: (body) => ['GET', `/containers/${encodeURIComponent(body.id)}/json`],
    ContainerList: (body) => ['GET', `/containers/json?all=${body.all}`],
    ContainerCreate: (body) => ['POST', '/containers/create', body.requestBody],
    ImageList: () => ['GET', '/images/json'],
};

function ask(socketPath, method, path, given) {
    return new Promise((resolve, reject) => {
        const sent = given && JSON.stringify(given);
        const headers = sent ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(sent) } : {};
        const request = http.request({ agent, socketPath, method, path: `/v1.41${path}`, headers }, (response) => {
            const pieces = [];
            response.on('data', (piece) => pieces.push(piece));
            response.on('error', reject);
            response.on('end', () => {
                const text = Buffer.concat(pieces).toString();
                if (response.statusCode >= 400) {
                    reject(new Error(`${response.statusCode} ${text}`));
                } else {
                    resolve(response.headers['content-type'].includes('json') ? JSON.parse(text) : { text: text });
                }
            });
        });
        request.on('error', reject);
        request.end(sent);
    });
}

exports.process = async function (msg, cfg) {
    const [method, path, given] = calls[process.env.ELASTICIO_FUNCTION](msg.body);
    const answer = await ask(cfg.otherServer.replace('unix://', ''), method, path, given);
    return { body: Array.isArray(answer) ? { results: answer } : answer };
};

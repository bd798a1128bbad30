// The twin of ../py/twin.py: the body's `do` names what to do, and both do the same.
const behaviours = {
    async plain(msg, cfg, snapshot) {
        return {
            body: { text: msg.body.text, numbers: [1, 2.5, -3, 1e21, 0.1], nothing: null, cfg: cfg, snapshot: snapshot },
            headers: { kept: 'yes' },
        };
    },

    async visit(msg) {
        const path = (msg.body.path || []).concat('js');
        return { body: { path: path, text: msg.body.text, do: 'visit', then: msg.body.then } };
    },

    async several() {
        for (const n of [1, 2, 3]) {
            await this.emit('data', { body: { n: n } });
        }
    },

    async attach() {
        return {
            id: '11111111-2222-4333-8444-555555555555',
            body: { a: 1 },
            attachments: { file: { url: 'http://storage/1', size: 3, 'content-type': 'text/plain' } },
            metadata: { older: true },
        };
    },

    async forward(msg) {
        return msg;
    },

    async fail(msg) {
        throw new Error(msg.body.text);
    },

    async complain() {
        await this.emit('error', 'only a text');
        return { body: { after: 'the error' } };
    },

    async remember() {
        await this.emit('snapshot', { a: 1, b: [2] });
        await this.emit('updateSnapshot', { c: 'größe' });
        return { body: {} };
    },

    async later() {
        await this.emit('rebound', 'not now');
    },

    async reply() {
        await this.emit('httpReply', { statusCode: 201, body: 'done', headers: { 'content-type': 'text/plain' } });
        return { body: { replied: true } };
    },

    async route(msg) {
        return { body: { n: 1 }, headers: { 'X-Eio-Routing-Key': msg.body.key, kept: 'yes' } };
    },

    async nothing() {},

    async bodiless(msg) {
        return { body: { seen: msg.body } };
    },
};

exports.process = function (msg, cfg, snapshot) {
    const name = msg.body ? msg.body.do : 'bodiless';
    return behaviours[name].call(this, msg, cfg, snapshot);
};

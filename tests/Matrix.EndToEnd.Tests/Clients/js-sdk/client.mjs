// One matrix-js-sdk client, driven by lines of JSON: {"id", "method", "params"} in, {"id", "result"} or {"id", "error"} out.
import { createInterface } from "node:readline";
import { createClient, ClientEvent, Direction, EventStatus, Filter, MatrixEventEvent, RoomEvent, RoomMemberEvent } from "matrix-js-sdk";
import { CryptoEvent, VerificationPhase, VerificationRequestEvent, VerifierEvent } from "matrix-js-sdk/lib/crypto-api/index.js";
import { logger } from "matrix-js-sdk/lib/logger.js";

logger.disableAll?.();
logger.setLevel?.("silent");
for (const name of ["log", "info", "debug", "warn", "error", "trace"]) console[name] = (...args) => process.stderr.write(`${args.join(" ")}\n`);

const seen = new Map(); // room id → [{eventId, sender, body, at}], in the order in which sync delivered them
const waiting = new Set();
const secretStorage = { keyId: null, key: null }; // what a person would write down: the recovery key
const verification = { request: null, sas: null, verified: null }; // the one that goes on, as the screens of both would show it
let client;

function changed() {
    for (const check of waiting) check();
}

// Resolves as soon as find() is truthy, looked at again after everything that sync brings.
function until(find, timeout, what) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
            waiting.delete(check);
            reject(new Error(`${what}: not within ${timeout} ms`));
        }, timeout);
        const check = () => {
            const found = find();
            if (!found) return;
            clearTimeout(timer);
            waiting.delete(check);
            resolve(found);
        };
        waiting.add(check);
        check();
    });
}

function show(event, room) {
    if (event.getType() !== "m.room.message") return;
    if (!seen.has(room.roomId)) seen.set(room.roomId, []);
    seen.get(room.roomId).push(messageOf(event));
}

function messageOf(event) {
    return { eventId: event.getId(), sender: event.getSender(), body: event.getContent().body, at: Date.now(), encrypted: event.isEncrypted() };
}

async function register({ baseUrl, username, password }) {
    const guest = createClient({ baseUrl });
    try {
        return await guest.registerRequest({ username, password });
    } catch (e) {
        if (e.httpStatus !== 401) throw e;
        if (!e.data.flows.some((flow) => flow.stages.length === 1 && flow.stages[0] === "m.login.dummy")) throw new Error("no m.login.dummy flow");
        return await guest.registerRequest({ username, password, auth: { type: "m.login.dummy", session: e.data.session } });
    }
}

async function start({ baseUrl, encrypted, recoveryKey }, login) {
    client = createClient({
        baseUrl,
        userId: login.user_id,
        deviceId: login.device_id,
        accessToken: login.access_token,
        timelineSupport: true,
        cryptoCallbacks: {
            getSecretStorageKey: async ({ keys }) => {
                const [keyId] = Object.keys(keys);
                return secretStorage.key ? [keyId, secretStorage.key] : null;
            },
            cacheSecretStorageKey: (keyId, info, key) => Object.assign(secretStorage, { keyId, key }),
        },
    });
    if (recoveryKey) secretStorage.key = Uint8Array.from(Buffer.from(recoveryKey, "base64"));
    if (encrypted) await client.initRustCrypto({ useIndexedDB: false });
    // an encrypted message is shown once it can be read
    client.on(MatrixEventEvent.Decrypted, (event) => {
        const room = client.getRoom(event.getRoomId());
        if (room && event.status === null && !seen.get(room.roomId)?.some((m) => m.eventId === event.getId())) show(event, room);
        changed();
    });
    client.on(CryptoEvent.VerificationRequestReceived, watchVerification);
    client.on(RoomEvent.Timeline, (event, room, toStartOfTimeline, removed, data) => {
        if (data.liveEvent && event.status === null) show(event, room);
        changed();
    });
    // our own message: shown while it is sent, and confirmed when it comes back by sync
    client.on(RoomEvent.LocalEchoUpdated, (event, room) => {
        if (event.status === null) show(event, room);
        changed();
    });
    client.on(RoomEvent.MyMembership, changed);
    client.on(RoomMemberEvent.Membership, changed);
    client.on(ClientEvent.Sync, changed);
    // more than is ever said while a test keeps it away: it overlooks a gap in which it has sent something itself
    await client.startClient({ initialSyncLimit: 50, pollTimeout: 30000 });
    await until(() => client.isInitialSyncComplete(), 20000, "the first sync");
    return { userId: login.user_id, deviceId: login.device_id, accessToken: login.access_token };
}

function watchVerification(request) {
    verification.request = request;
    request.on(VerificationRequestEvent.Change, changed);
    changed();
}

// The stretches of a room that are known, oldest first: a gap in sync begins a new one, and pagination joins them.
function timelines(roomId) {
    const chain = [client.getRoom(roomId).getLiveTimeline()];
    for (let before; (before = chain[0].getNeighbouringTimeline(Direction.Backward)); ) chain.unshift(before);
    return chain;
}

// What "retry" on an unsent message does: the same transaction id again.
async function sendAgain(roomId, txnId, until, error) {
    const event = timelines(roomId).flatMap((timeline) => timeline.getEvents()).find((e) => e.getTxnId() === txnId);
    while (event && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        // it had arrived, and only the answer was lost: sync has brought it by now
        if (event.status === null) return event.getId();
        if (event.status !== EventStatus.NOT_SENT) continue;
        try {
            return (await client.resendEvent(event, client.getRoom(roomId))).event_id;
        } catch (e) {
            error = e;
        }
    }
    throw error;
}

const methods = {
    async register(params) {
        return await start(params, await register(params));
    },
    async login(params) {
        const { baseUrl, username, password } = params;
        const login = await createClient({ baseUrl }).loginRequest({
            type: "m.login.password",
            identifier: { type: "m.id.user", user: username },
            password,
        });
        return await start(params, login);
    },
    async createRoom({ options }) {
        return { roomId: (await client.createRoom(options)).room_id };
    },
    async invite({ roomId, userId }) {
        await client.invite(roomId, userId);
        return {};
    },
    async join({ roomId }) {
        await client.joinRoom(roomId);
        return {};
    },
    async leave({ roomId }) {
        await client.leave(roomId);
        return {};
    },
    async send({ roomId, body, retryFor }) {
        const txnId = client.makeTxnId();
        try {
            return { eventId: (await client.sendEvent(roomId, "m.room.message", { msgtype: "m.text", body }, txnId)).event_id };
        } catch (e) {
            return { eventId: await sendAgain(roomId, txnId, Date.now() + (retryFor ?? 0), e) };
        }
    },
    async waitMessage({ roomId, body, timeout }) {
        return await until(() => seen.get(roomId)?.find((m) => m.body === body && !m.eventId.startsWith("~")), timeout, `message '${body}'`);
    },
    async waitMembership({ roomId, userId, membership, timeout }) {
        const of = () => {
            const room = client.getRoom(roomId);
            return userId === client.getUserId() ? room?.getMyMembership() : room?.getMember(userId)?.membership;
        };
        await until(() => of() === membership, timeout, `${userId} to be '${membership}'`);
        return {};
    },
    // What this client shows: the live timeline, and what back-pagination put before it.
    async timeline({ roomId }) {
        const events = timelines(roomId).flatMap((timeline) => timeline.getEvents());
        return { messages: events.filter((e) => e.getType() === "m.room.message").map(messageOf), received: seen.get(roomId) ?? [] };
    },
    async paginateBack({ roomId, limit }) {
        for (let pages = 0; ; pages++) {
            const oldest = timelines(roomId)[0];
            if (!oldest.getPaginationToken(Direction.Backward)) return { pages };
            await client.paginateEventTimeline(oldest, { backwards: true, limit });
        }
    },
    async setName({ name }) {
        await client.setDisplayName(name);
        return {};
    },
    async setPusher({ pusher }) {
        await client.setPusher(pusher);
        return await client.getPushers();
    },
    async nameOf({ roomId, userId }) {
        return { name: client.getRoom(roomId)?.getMember(userId)?.name ?? null };
    },
    async storeFilter() {
        const filter = Filter.fromJson(client.getUserId(), "unused", { room: { timeline: { limit: 7 } } });
        const created = await client.createFilter(filter.getDefinition());
        return { limit: (await client.getFilter(client.getUserId(), created.filterId, false)).getDefinition().room.timeline.limit };
    },
    // What a client does when its user first sets up encryption: cross-signing, secret storage, and a key backup.
    async setUpEncryption({ password }) {
        const crypto = client.getCrypto();
        const auth = { type: "m.login.password", identifier: { type: "m.id.user", user: client.getUserId() }, password };
        await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: (makeRequest) => makeRequest(auth) });
        const key = await crypto.createRecoveryKeyFromPassphrase();
        await crypto.bootstrapSecretStorage({ createSecretStorageKey: async () => key, setupNewKeyBackup: true });
        await crypto.checkKeyBackupAndEnable();
        return { recoveryKey: Buffer.from(key.privateKey).toString("base64"), backup: await crypto.getActiveSessionBackupVersion() };
    },
    // What another device does when the user enters the recovery key.
    async recover() {
        const crypto = client.getCrypto();
        // the private keys are checked against the public ones, which have to be here first
        if (!(await crypto.userHasCrossSigningKeys(client.getUserId(), true))) throw new Error("no cross-signing keys");
        await crypto.bootstrapCrossSigning({});
        await crypto.loadSessionBackupPrivateKeyFromSecretStorage();
        const restored = await crypto.restoreKeyBackup();
        return { imported: restored.imported };
    },
    // The library remembers what the backup was when it began: what is in it now says the server.
    async backedUp({ count, timeout }) {
        for (const end = Date.now() + timeout; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 100))) {
            const info = await client.http.authedRequest("GET", "/room_keys/version", undefined, undefined, { prefix: "/_matrix/client/v3" });
            if (info.count >= count) return { count: info.count };
        }
        throw new Error("nothing was backed up");
    },
    // Has this device a trusted chain to that user's devices?
    async devicesOf({ userId }) {
        const devices = await client.getCrypto().getUserDeviceInfo([userId], true);
        const ids = [...(devices.get(userId)?.keys() ?? [])];
        const signed = [];
        for (const id of ids) if ((await client.getCrypto().getDeviceVerificationStatus(userId, id))?.signedByOwner) signed.push(id);
        return { ids, signed };
    },
    // Verification by comparing emoji: one asks, in the room or their own other devices, the other accepts, and one of them begins.
    async askToVerify({ userId, roomId }) {
        const crypto = client.getCrypto();
        watchVerification(await (roomId ? crypto.requestVerificationDM(userId, roomId) : crypto.requestOwnUserVerification()));
        return {};
    },
    async acceptVerification({ timeout }) {
        await until(() => verification.request?.phase === VerificationPhase.Requested, timeout, "a request to verify");
        await verification.request.accept();
        return {};
    },
    async showEmoji({ begin, timeout }) {
        await until(() => verification.request?.phase >= VerificationPhase.Ready, timeout, "a verification that is ready");
        if (begin) await verification.request.startVerification("m.sas.v1");
        const verifier = await until(() => verification.request.verifier, timeout, "a verifier");
        const shown = new Promise((resolve) => verifier.on(VerifierEvent.ShowSas, resolve));
        verification.verified = verifier.verify();
        verification.verified.catch(() => {});
        verification.sas = verifier.getShowSasCallbacks() ?? (await shown);
        return { emoji: verification.sas.sas.emoji.map(([symbol]) => symbol) };
    },
    async confirmEmoji() {
        await verification.sas.confirm();
        await verification.verified;
        return {};
    },
    async trusts({ userId }) {
        return { verified: (await client.getCrypto().getUserVerificationStatus(userId)).isVerified() };
    },
    // Is this device trusted by way of its owner's signature, and has it the private keys?
    async ownStatus() {
        const crypto = client.getCrypto();
        const device = await crypto.getDeviceVerificationStatus(client.getUserId(), client.getDeviceId());
        const { privateKeysCachedLocally: cached } = await crypto.getCrossSigningStatus();
        return { signed: device.signedByOwner, keys: cached.masterKey && cached.selfSigningKey && cached.userSigningKey };
    },
    async stop() {
        client?.stopClient();
        setTimeout(() => process.exit(0), 10);
        return {};
    },
};

for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line);
    methods[method](params ?? {}).then(
        (result) => process.stdout.write(`${JSON.stringify({ id, result })}\n`),
        (e) => process.stdout.write(`${JSON.stringify({ id, error: String(e?.stack ?? e), errcode: e?.errcode })}\n`),
    );
}
process.exit(0);

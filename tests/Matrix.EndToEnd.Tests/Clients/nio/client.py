"""One matrix-nio client, driven by lines of JSON: {"id", "method", "params"} in, {"id", "result"} or {"id", "error"} out."""

import asyncio
import atexit
import json
import shutil
import sys
import tempfile
import time
import traceback
import uuid

import nio

waiting = []  # (check, future)
seen = {}  # room id → messages in the order in which sync delivered them
memberships = {}  # (room id, user id) → membership
client = None
syncing = None
prev_batches = {}  # room id → where the oldest timeline that we have begins
history = {}  # room id → messages that pagination brought, oldest first


def message_of(event):
    return {
        "eventId": event.event_id, "sender": event.sender, "body": event.body, "at": int(time.time() * 1000),
        "encrypted": bool(event.decrypted),
    }


def changed():
    for check, future in list(waiting):
        found = check()
        if found and not future.done():
            future.set_result(found)


async def until(check, timeout, what):
    found = check()
    if found:
        return found
    future = asyncio.get_running_loop().create_future()
    waiting.append((check, future))
    try:
        return await asyncio.wait_for(future, timeout / 1000)
    except asyncio.TimeoutError:
        raise TimeoutError(f"{what}: not within {timeout} ms") from None
    finally:
        waiting.remove((check, future))


def done(response):
    """The response, or an exception with the server's error."""
    if isinstance(response, nio.responses.ErrorResponse):
        raise RuntimeError(f"{type(response).__name__}: {response.status_code} {response.message}")
    return response


async def on_sync(response):
    for room_id, room in response.rooms.join.items():
        if room_id not in prev_batches or room.timeline.limited:
            # the first timeline, or one behind a gap: what was before it comes by pagination
            prev_batches[room_id] = room.timeline.prev_batch
            seen[room_id], history[room_id] = [], []
        for event in room.timeline.events:
            if isinstance(event, nio.RoomMessageText):
                seen.setdefault(room_id, []).append(message_of(event))
        for event in [*room.state, *room.timeline.events]:
            if isinstance(event, nio.RoomMemberEvent):
                memberships[room_id, event.state_key] = event.membership
    for room_id, room in response.rooms.invite.items():
        memberships[room_id, client.user_id] = "invite"
    for room_id, room in response.rooms.leave.items():
        memberships[room_id, client.user_id] = "leave"
    changed()


async def sync_loop():
    """Like sync_forever, which gives up at the first lost connection: keeps the token and asks again."""
    while True:
        try:
            response = await client.sync(timeout=30000, full_state=False, since=client.next_batch or None)
            if isinstance(response, nio.SyncResponse):
                await keep_keys()
                await on_sync(response)
            else:
                await asyncio.sleep(0.2)
        except Exception:  # noqa: BLE001 - the connection went away
            traceback.print_exc()
            await asyncio.sleep(0.2)


async def keep_keys():
    """What sync_forever does after each sync for end-to-end encryption."""
    if not client.olm:
        return
    if client.should_upload_keys:
        done(await client.keys_upload())
    if client.should_query_keys:
        done(await client.keys_query())
    if client.should_claim_keys:
        done(await client.keys_claim(client.get_users_for_key_claiming()))
    await client.send_to_device_messages()


async def start():
    global syncing
    client.add_response_callback(lambda _: None, nio.SyncResponse)
    first = done(await client.sync(timeout=0, full_state=True))
    await keep_keys()
    await on_sync(first)
    syncing = asyncio.create_task(sync_loop())
    return {"userId": client.user_id, "deviceId": client.device_id, "accessToken": client.access_token}


def new_client(base_url, username, encrypted):
    global client
    config = nio.AsyncClientConfig(encryption_enabled=encrypted, max_timeouts=0, request_timeout=60)
    store = tempfile.mkdtemp(prefix="nio-") if encrypted else ""
    if store:
        atexit.register(shutil.rmtree, store, ignore_errors=True)
    client = nio.AsyncClient(base_url, username, config=config, store_path=store)


async def register(baseUrl, username, password, encrypted=False):
    new_client(baseUrl, username, encrypted)
    done(await client.register(username, password, device_name="nio"))
    return await start()


async def login(baseUrl, username, password, encrypted=False):
    new_client(baseUrl, username, encrypted)
    done(await client.login(password, device_name="nio"))
    return await start()


async def create_room(options):
    options = dict(options or {})
    preset = {
        "private_chat": nio.RoomPreset.private_chat,
        "public_chat": nio.RoomPreset.public_chat,
        "trusted_private_chat": nio.RoomPreset.trusted_private_chat,
    }.get(options.get("preset"))
    response = done(await client.room_create(
        name=options.get("name"), topic=options.get("topic"), preset=preset, invite=options.get("invite", ()),
        initial_state=options.get("initial_state", ()), is_direct=options.get("is_direct", False)))
    return {"roomId": response.room_id}


async def invite(roomId, userId):
    done(await client.room_invite(roomId, userId))
    return {}


async def join(roomId):
    done(await client.join(roomId))
    return {}


async def leave(roomId):
    done(await client.room_leave(roomId))
    return {}


async def send(roomId, body, retryFor=0):
    content, tx_id, deadline = {"msgtype": "m.text", "body": body}, uuid.uuid4().hex, time.monotonic() + retryFor / 1000
    while True:
        try:
            return {"eventId": done(await client.room_send(roomId, "m.room.message", content, tx_id=tx_id, ignore_unverified_devices=True)).event_id}
        except Exception:  # noqa: BLE001 - whatever it was, the same transaction id is sent again
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(0.1)


async def wait_message(roomId, body, timeout):
    return await until(lambda: next((m for m in seen.get(roomId, []) if m["body"] == body), None), timeout, f"message '{body}'")


async def wait_membership(roomId, userId, membership, timeout):
    await until(lambda: memberships.get((roomId, userId)) == membership, timeout, f"{userId} to be '{membership}'")
    return {}


async def timeline(roomId):
    received = seen.get(roomId, [])
    return {"messages": [*history.get(roomId, []), *received], "received": received}


async def paginate_back(roomId, limit):
    token, pages = prev_batches.get(roomId), 0
    while token:
        response = done(await client.room_messages(roomId, token, direction=nio.MessageDirection.back, limit=limit))
        pages += 1
        for event in response.chunk:
            if isinstance(event, nio.RoomMessageText):
                history.setdefault(roomId, []).insert(0, message_of(event))
        token = response.end if response.chunk else None
    prev_batches[roomId] = None
    return {"pages": pages}


async def set_name(name):
    done(await client.set_displayname(name))
    return {}


async def stop():
    if syncing:
        syncing.cancel()
    await client.close()
    asyncio.get_running_loop().call_later(0.01, sys.exit, 0)
    return {}


methods = {
    "register": register, "login": login, "createRoom": create_room, "invite": invite, "join": join, "leave": leave, "send": send,
    "waitMessage": wait_message, "waitMembership": wait_membership, "timeline": timeline, "paginateBack": paginate_back,
    "setName": set_name, "stop": stop,
}


def answer(reply):
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


async def handle(request):
    try:
        answer({"id": request["id"], "result": await methods[request["method"]](**(request.get("params") or {}))})
    except Exception as e:  # noqa: BLE001 - every failure is the test's to judge
        answer({"id": request["id"], "error": "".join(traceback.format_exception(e))})


async def main():
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = set()
    while line := await reader.readline():
        task = asyncio.create_task(handle(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())

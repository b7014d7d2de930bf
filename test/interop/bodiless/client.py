# Usage: client.py <library> (<method> <url> <token> <none or empty>)...   Prints the status of each request, a line each.
import asyncio
import sys

library, *rest = sys.argv[1:]
requests = list(zip(*[iter(rest)] * 4))


def with_requests():
    import requests as library

    library.packages.urllib3.disable_warnings()
    for method, url, token, mode in requests:
        body = {"data": ""} if mode == "empty" else {}
        print(library.request(method, url, headers={"Authorization": f"Bearer {token}"}, verify=False, **body).status_code)


def with_httpx():
    import httpx

    with httpx.Client(http2=True, verify=False) as client:
        for method, url, token, mode in requests:
            body = {"content": ""} if mode == "empty" else {}
            print(client.request(method, url, headers={"Authorization": f"Bearer {token}"}, **body).status_code)


async def with_aiohttp():
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as session:
        for method, url, token, mode in requests:
            body = {"data": ""} if mode == "empty" else {}
            async with session.request(method, url, headers={"Authorization": f"Bearer {token}"}, **body) as answer:
                print(answer.status)


asyncio.run(with_aiohttp()) if library == "aiohttp" else {"requests": with_requests, "httpx": with_httpx}[library]()

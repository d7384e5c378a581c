"""A zeep client as public NetSuite clients use it."""

import secrets
import time
from typing import Any

import zeep

from tests.unit.sandbox.netsuite.suite import signature


class Zeep:
    """What public NetSuite clients do with zeep: address overridden, namespaces by number, `response.body`."""

    def __init__(self, url: str, version: str = "2023_2", *, wsdl: str = "") -> None:
        self.client = zeep.Client(wsdl or f"{url}/wsdl/v{version}_0/netsuite.wsdl")
        binding = f"{{urn:platform_{version}.webservices.netsuite.com}}NetSuiteBinding"
        self.service = self.client.create_service(binding, f"{url}/services/NetSuitePort_{version}")

    def type(self, name: str) -> Any:
        return self.client.get_type(name)

    def call(self, operation: str, *values: Any, **preferences: Any) -> Any:
        nonce, stamp = secrets.token_hex(10), str(int(time.time()))
        signed = signature(f"TSTDRV1&ck&tk&{nonce}&{stamp}")
        header = {
            "tokenPassport": self.type("ns0:TokenPassport")(
                account="TSTDRV1",
                consumerKey="ck",
                token="tk",
                nonce=nonce,
                timestamp=stamp,
                signature=self.type("ns0:TokenPassportSignature")(signed, algorithm="HMAC-SHA256"),
            )
        }
        if preferences:
            header["searchPreferences"] = self.type("ns4:SearchPreferences")(**preferences)
        return getattr(self.service, operation)(*values, _soapheaders=header).body

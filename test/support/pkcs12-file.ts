/** The passphrase of `pkcs12File`. */
export const pkcs12Passphrase = "open sesame";

/** A .p12 file with a throw-away certificate and its key, as OpenSSL 3 writes it; of use to nobody but the tests. */
export const pkcs12File = Buffer.from(
  [
    "MIIEjAIBAzCCBEIGCSqGSIb3DQEHAaCCBDMEggQvMIIEKzCCAuIGCSqGSIb3DQEHBqCCAtMwggLPAgEAMIICyAYJKoZIhvcNAQcB",
    "MFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjKFap9oDSpsAICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEO7T",
    "bavpLpYdRvWOjQn6sYSAggJgvnEeBGfWN08IeQ4a+mlXJpkUVSfxUhqVS+6wyz2TXZtxhed8+6c3/C320wlwDSLMo9U8t7S935yZ",
    "KaALlQNUtrc74VQyshsv9XU5RtR8LDYyf5h5iRD2W2d05W1riX/Dg3UC6sMRRzBMpzN8haFjMMS8D6UtFvZ35bPk13/H+LAOPdRK",
    "23KkwL8reIYlhULoM35YCtJAlAwoDAAj1mZBkCCcelmLC+PPG6hU/TAkNvIP3aTYYeLdkqGvTEeG8zXW0D6T2W4mc+MzbEqf0iVj",
    "bJtt8vCzxwmM4ofrWjLv+5pZ3FKGKeUDQCsyUHGgv+eMtXQzrJeq98DJkN1QH6oHFEXHLo7UN43B7jlEa+myBESeljqinDOgjwi7",
    "uIIjRES95XNZmKmrD1XQjZIVS+Xs5bSGOUR1LIM9iGx83iLxk4u5rWrKArs9bt3mvmx4ZwVqdr8m/V4udb8uy5J7nMO3k7NgBZda",
    "JExSq6unyuweY43a11PSS30Rn1AuUAfDfwllHUwh/X7kjawphA6YOJkgZcipm6DTJeE6Tmg+5f/g5HEk9dkI2+eHiWe1Z9gfP+oW",
    "vvw5fwBk/K+yMKafE+Lb3P5fw1QIUgfF4fUMAsfESV8w854wX8kZV2l3ZKVlpMHXWhnBC8VDg3lwZ4L0H9WlC+oN1iKRjKJEuujA",
    "MqqbYWqJX7TdTRP0VHEYBYX6xhRYLDCxDh9ZwKoSBgV009Q5KbV4jKnaCyWY+IIlU3PY2OwOzxoXnD5Kg2jBC8RgYvhkKC/Wh6mX",
    "pTSFtDluQCl9eCynkXWj10/Jgsd1zCg3p3UwggFBBgkqhkiG9w0BBwGgggEyBIIBLjCCASowggEmBgsqhkiG9w0BDAoBAqCB7zCB",
    "7DBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIaw2iRWjArusCAggAMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBAw",
    "esTz3C4lniOydLhKUjMoBIGQi5EYWo6M/xB4cD06+QOjmgd8HP+u5kojNLEQ943SRYau/WiZSW8M3t8InZiD0gaDNcgnJqW9z+ta",
    "15AFwmL7mxdnFCg39Yi6GABQVlTIYE88V+6n5TjN4Lqg5hlJNvDPX+HFOmaBexBeVocp2KIOMETpfKZKGYFppIQkj0mfoXqP8eab",
    "dvDvI1w/A3RtARY6MSUwIwYJKoZIhvcNAQkVMRYEFM7+wJFWnpamlwQCoq6HLEYyDkCyMEEwMTANBglghkgBZQMEAgEFAAQgxxDx",
    "EEeSxdauW3XICzFGuxfTBvM5dnZhDqhm3auDVL8ECA2NmYPmNnptAgIIAA==",
  ].join(""),
  "base64",
);

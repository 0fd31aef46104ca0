/** The passphrase of `oldRsaPkcs12File`. */
export const oldPkcs12Passphrase = "open sesame";

/**
 * A throw-away certificate for com.example.demo and its RSA key in a .p12 file as Keychain Access long made them: 40-bit RC2 for the
 * certificate, 3DES for the key. Made with `openssl pkcs12 -export -legacy`; of use to nobody but the tests.
 */
export const oldRsaPkcs12File = Buffer.from(
  [
    "MIIJ8QIBAzCCCbcGCSqGSIb3DQEHAaCCCagEggmkMIIJoDCCBFcGCSqGSIb3DQEHBqCCBEgwggREAgEAMIIEPQYJKoZIhvcNAQcBMBwG",
    "CiqGSIb3DQEMAQYwDgQIi0Wboaw2udoCAggAgIIEEIlD4rgHISsgp0rI7YPnp7dbp8GuG72SB+hWZD6t/lmz3wGClvZHyiPoH9RNNS2C",
    "kD8REvjEmVip+bl2/KZ+47UD2GJ8D07+3AAJyIv+0jQItfkL/jzLfotBaO2/2HDIWSZ9iBGkuweLjs5L09PRbFFu76h5j0CdSGOZpXY1",
    "+qsaYKbweAh8mCKyhgcGoDps5/JAde2t+sWtQkv+SfDGMlMMYvtqGOX/7/k2UZCjSKl04rr+QWuiIr+8W2enPIs8bejhjdni2NOk4xbm",
    "dhRaA+R2mFvkWSmTUVXqKFnniQWmBo1N/3Nafot6XYVbl0IQ9b6jLB03WTMhUO6sGt1WhC2BLjPdM9NTUiyjXEn2JDwa4bNpXkliAa9M",
    "WZPmnHj5e1m/zxI9tFc7BG3q8+E0OK+nxvAVQ6bEgtG9vZTYxPtBlcKOAaMabmFf4bk1BFwM+2+Bn5BGS+juFeND7od6Nb17PEgJcPgs",
    "Y4TiO5CCU+XO+GYFozMx9A1wwpkYAeiAIiQqSx5MrfL/FpIlCDxSruV+1BAntjEqs0iJAlCGbgIE7IQlDyWUYcd81zZGAjU/x0HWjxMQ",
    "7svC6INKYq95wilm3M9CfstNLZ9aekbfonuvgN9XkhEKVnfG5wDYK5eK+QO4drasgc4NqSFUW5RyMFRfUnheW6o7zabecuJiWxRDC3u+",
    "AQjrJMlPVLMstgmuaovZ5GqDZ1KO9HpTCPdYfeePJ+8ZKHMeD78l3q0n1YfClxuINpXinKrfk2TRnaQ90FfoAfeAGDBPZLBHqTa1D8j0",
    "Qp+h1Sn3EX0YEFNmqJwuEaFQG4GUJGFVvZF8oEfFEN4Ch2fvwKN/hN5E2tGFhv1bIvTttfkGhwwrpxW0zP3MMGDpVAhpeL8MgDuSB0LS",
    "jaOo6aX4RvQ+PId668QvIHkephQwNOveir3wj8uFv92y9SlRPdVOu10vRccrP5q+YppBNQp4cwg9NBZUNTcyMJGPWCkngEqSqPvmPWGn",
    "TZsbqr74gEkFWWd1vO4dm6GevbbarYV0Z5Yl7STZ7JWDbaX6GNXmHDXxciMmDMKsFT3zkYbVXszt8mzZ++NqMDA08MyQYkqu1febhGQy",
    "JvegmAh4OBz8OHaRlfn1Yl6oUC8/g0/gSief5q5AzQzi5nbU4TIDjLPIhQvCYpIIJeqo+yQU98O2zSJgtKQvGeGQt62WMDpHVFpqhnbP",
    "PgSiOZr25IOtAOwiIR/RIFjiW/ApIoZwFEibImsmqLJY091YR+u8YzYnInguca2X2kcE/B7Fj9n4XAQcnBflbyw95p7m42jFAKxVm1dN",
    "WkYGhtoYCMIKznN0seNOJVe9HdyWn6bg21Ek0rvZLEaB7InOQVGl9FlfAFCrBZ84IYmgmgWm4xSRMIIFQQYJKoZIhvcNAQcBoIIFMgSC",
    "BS4wggUqMIIFJgYLKoZIhvcNAQwKAQKgggTuMIIE6jAcBgoqhkiG9w0BDAEDMA4ECIXbNENfGiUFAgIIAASCBMiRB+ird6mcmOZEyDwo",
    "j7EanAc0WwmkhB1WzRhTr2/Qat6Fa7iN1t4UvmSY2QT45PQ198fHSKn8LVIh8yfJ+LEOjnwhB1rydYUQp0wqlbdpMw/Yp69T0z9NI6vP",
    "CliI9vEpbixC6/zUrFLWyFbZw2Qlkhr5T38Nmf34iWiVhDJ8x8wGC7B/bL/gj0nbXNrCmH8VW1XkCZhDOeVTXNAR5ZUdQfauy581jeiu",
    "vPtGnS3oHrs2P0UX68fu8FfNgX95nNZTkAJCsmTMMz1Xqgr212DsUGGUFdxUV7tI9JiBKf6Iycrulgp8RBNn2EGuqY3M7u9Qive1J4+q",
    "dhy/+M88GHmXnlrbCHGPyWMFydD4d/fyEbn1oE1E1FTDn0WsuUPkOqFCNk/b9f2eEUxLprdox6899vUNUmBZSwKsArB6bLa07hkasu+9",
    "9HA/HiqJBQF3oenTDtYlvSy0pxQ1U2NktHTaY9oCS/zvL1ASokXgGeih66dkBH1XyVftbq0qT6i57BgtrAf5Mn1wl5BHv5b7eEXDVgZq",
    "HOkvCpLH+Dm+Z+dzV0W9ngJ/ijnEDkTe5Vip8Y3wX8oGu7XYkLzsy72YWFogLBjiJee6cUFte/k/H5JBEaB7IspNx0MlG054SbxOD7Mq",
    "06H711pbdVInnw+IYoyl9ymNBTg5ybbEXFGZnXxsy/eR3lAYxKr+mYa6ddWXDPoI9/1wpLyCUqwCiWoOGmuvI3rBa/+xOxnHsIIjmIKO",
    "Q8RIPW0b2F9XXyrvzhh/tOc3DsH+FwSOu0nKJ8eBWJP7Lexdod8bdYs9NWcOdqsRQZ5kq0rX9ZDTGtB5uiLmL9LED/OnGzWCa682/d+S",
    "0TmHMjDAllazUMeCMBULKDbgKm6uyA0cJAATtQe7MkGMnH9QXj3jDV18iOypdaVmOHh/eRpuaW1YYwdGZng0xzD9q5U9mcHMjeds8WUt",
    "w8VKrd+QRCdt0G+V+vAvQeoNAGJTqFunhJGYCfTKXEjQbLV2TqnbnUl+gTe4xh7DUnPlio3/NDP9KuKTt/6spxLwowX9g4Z4AsIdC2wM",
    "hNGeXUK3Ls3XhulqZG0HrolMqLd2QJ7IXLTqy5xu/gwj8+mLS1NbHHfaogaUIHXSCs5VDGJqy3Msb/wMDNGI9t3S2mwo1psyz8LJoXoq",
    "+ubGRvq4Wvfk3XA+oF2c0D2ktxg6detQeHg5Ke1AKxWY5u5w+4SIUoLwdJmX1+M0pUAzHH1pCpdPpJCozvS7VG5lfcig6J30I9SnjUvV",
    "bLDIfQxrzLivYg8g/nUwV1Mu66SAUNmsmADx5TLCARHUxLdZToJ/W43HWNzMyhn3f5tQ1I+jCUjCQCecCcY9eYYVqNnuGNFy5JhUbkyI",
    "t0eyFau7exXmYK9AtFDOaW+MRP4OvVqZ1LxhFXOaNrQjJsMWhsbZ2HQl3cfaTaGhGVOnn4+RK0j4jakj+jgnhgZWmBbQVnAMKpZeux8B",
    "N0aLE5rzBPRGBINsDFEs8ilvQWbvpao5CcMBFN4jteMGiqz0awaM9m/ftCtdQU3eOGnHC+UryGZ/uylCuzyGAh9CifsLmyjryUObt3Zo",
    "RrFyGx0UzJUDBt8ufn3442/ych9dODP/rJkDXDIsiYkRzBsdtLiJbpkxJTAjBgkqhkiG9w0BCRUxFgQUj4Cy9HPkfJeJjX5DuA4CnVDK",
    "/JEwMTAhMAkGBSsOAwIaBQAEFHvL3gpNkSfCTdwfClFln2qjeVB8BAj5YZCtjgG84QICCAA=",
  ].join(""),
  "base64",
);

/** The same with a key on P-256, a second certificate of an authority beside it, and no passphrase. */
export const oldEcPkcs12File = Buffer.from(
  [
    "MIIH4gIBAzCCB6gGCSqGSIb3DQEHAaCCB5kEggeVMIIHkTCCBocGCSqGSIb3DQEHBqCCBngwggZ0AgEAMIIGbQYJKoZIhvcNAQcBMBwG",
    "CiqGSIb3DQEMAQYwDgQIrZszZhFVJFkCAggAgIIGQG6ERsYocGD7m/wzpQh/MMbHW5kOLlpHs4873sFUjFIOVN+gvyTuLrtbYk7sFW5c",
    "FXRaQcJvSa3NSd9DVKIoXNK0U9XysAmL7SydOd5nwTQnkOq6Aee3tZO+vKwlobpEELgW9IHVcHEr+FzdZ/zuAy+dsqR4MDIUFLnLVVbO",
    "yvI6J/YsF5Gd7YMAwg7OLS5acXv7nKOqIyrFoRmRXIKjS8g3o/ltFLya8yajIGcUyCqcenmn5mlZhyzpmgtqXx5gyj7FGE4M0XICxk2x",
    "1zuyyoZY2e/UuMhYRlqvRmJb4180BdKryTtDo+fFEmj5wNNul2AsDFO06LVXhRIsRywLfDH3tiXzaObwdN/povvpH7BPR0/MGMBW3ilc",
    "7y3WHeQgVWVmqvN391XHO5TzxYHP1oRMpCZA/I+YH/pE1N4/bDO9q/i7SS2hPazwGCHrXZrMRMWtV2+aWsfCxbyz2ykWg8f1aLyDqmVl",
    "vo5Gb5iRnNeGwJDqgfxh9wfCMVDv7Y4CQDsk7C7wrcg/lzn/f8n9SazIHsFiKvmSRXG45bsuP9E1a7aGss3FlT4C++3FTKdd7C8pW+nw",
    "DRtL+HpEX15tFmDKC2pgRlYsoBEc1Go49XiwwzZRZL5RYutN5dngqL4vDz7I5gxy7vynliVIL/Q0GCBTgyY1pETBOe64urNUcqX5FgRT",
    "1FpIxTmwItGGzI7eGqAGfDNgXEDRo0wdHah4SzsX0QgNrHu3HYloZSW9rg7Mqf/4Eh/vmqNxbMIykAYNP0CvzP2tJZQUcX6/pLq2gztb",
    "DHJCwOSx9kH31A9hSRjFZSmlZ8cyNaciL1IbS4b+Qq/HcFUzEUi1qC8vPXUzxNur5gvQU8kO1p+g497egycWVhlLlBtHdGgdg+AqdaTH",
    "hy6Zs4C7Ks2AmlWW//F/SY2khzovVfnWv+2li1xPeAJqqqTjT7EJa1j9NBGQFzm4eOHkqotxemUom4mzVdYB9zYw0AiiO855Qi+qU1ce",
    "cDNhQ2+XMtb8rd3V9I/QT/NAUNwCk3H5r8IYJm7cxad4icbX40sI/g78SNN7DZV1Nz2SNJ2K560ySZZ+VfN58NsQJfXeToT3y8eVLoKr",
    "0Wg1kzSRPHJuBbS0eVKeKkZVkaazaTo3NX3EBWzgTUvFojcyrrMAb6uknM+Bw78JoUmdD8U7niwthz+VqfsixQJdEPzk+JLyHReV77fi",
    "7mbevFFqGcdEufZGAtOHEutJKdOVsfTGqYwig1ALdUPCERoX2Vbtcqnof83Z1fy/0u/OzR8e5b9mKtgqINE2eQjfNMedAbBAdTW9tgbK",
    "5bIHQI+WcJTvQe5eN9nG728+7HlMqHKOH8JbA2xlAdbFMbbTLd0w64M5tE+0FFzxYtcdyXA6aDrzRHrKsVeHHfzOh1P0L1Zt86HUamSa",
    "vfjCFN28RQMhwJ+GX7kGeTidMykP2zV7iDx0/b3F8UN3Dvt7SPssx13wZLfD89tm3hLRhc3EhGzxtWfEWwa/4y4iZ/vCnXDS8mpayLIF",
    "nk4yyqYFzDvuYI/vjH7NgxlabAjE+UuEOP0JRwOwXpQ94GSsn1M3aEZxbHl2PwFeNwyevCqIVlM1eU0KGDtm4GA5hSnOzQg5ZgR81FCM",
    "0ABrdlZX+X02DmVl6s022tvaYCjRjmYrXcN68n9MxJPBjW3Y9CVT42aGezWZvjGMFD/nizOk3QlyLLclc/15aOR0tlEHEOui95GhgJjI",
    "G7vgqhbzFfYttxhPFxF6D9z3CXV5yyaF9h0wyoW8e7l9njYm3X3wSZgMUO6XspKd/8cL3wTXUzqPmuNtZHmmxRqg17UZzovd5mBymX8T",
    "k8uDa2K5DJ1XizWjiPK6hHkyThjoTMPTTKgF8WI2L96fqDKRaedIGbcYKA/8jbCMbVEzXmtEA254Hm682sHnGFE6fHpTmyqx7m5bo+bb",
    "yEZOiNmHvHwH7Di7J+7HX0ShQhgOu92FxK3DGwf0Eybq7cW2jZF4kvu14yW+mST5HeaXOvEmC9enavgdNe6WuG+2ajG1rRXQbmIEZWoz",
    "yTKTU1MjTDre/hKZkogkFWI8MT1woYKgSycCaESnAoGjG/ZsobjN8VdNOweT+l2mCx4QpUEeTIQnmX2h8o9slE9jiGLE9qkwggECBgkq",
    "hkiG9w0BBwGggfQEgfEwge4wgesGCyqGSIb3DQEMCgECoIG0MIGxMBwGCiqGSIb3DQEMAQMwDgQI7GN7z7HaeKYCAggABIGQv3E0RGxQ",
    "Mvya4BLCsdAmcIs1mba5vBk4JMjiev6HG280VhqWwFYf+WAMkbgo2T1c5+X3WcLSC6ldnbuFHcxlVCafqQKo8OvFyc5DAxoQWfKSS1DB",
    "DxfQzvt9P4+wzOj7ayuUif6jfbVzkVY6DRNylLZHvvETN5V9ytS+oNPEiZiaHTALxzJmmyQ1mwGnq+9oMSUwIwYJKoZIhvcNAQkVMRYE",
    "FFj7EbqQ+Nllt0EIKFq6gGm9oysdMDEwITAJBgUrDgMCGgUABBRgEMvID4TnXYhuYDqw8cxrC/YYagQIPiDxBxFr4aYCAggA",
  ].join(""),
  "base64",
);

"""Runs every query of every panel, annotation and variable: PROMETHEUS DASHBOARD…

Prints how many there were. An error, and an answer without data, is a fault.
"""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

PROMETHEUS, FILES = sys.argv[1], sys.argv[2:]


def ask(path, **parameters):
    try:
        url = f"{PROMETHEUS}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as fault:
        return json.load(fault)


def filled(query):
    return re.sub(r"\$\w+", ".+", query.replace("$__rate_interval", "1m"))


def queries(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], filled(target["expr"])
    for annotation in dashboard["annotations"]["list"]:
        if "target" in annotation:
            # What shades the time of an incident has no data while there is none.
            yield annotation["name"], filled(annotation["target"]["expr"]).removesuffix(" > 0")


count, faults = 0, []
for file in FILES:
    dashboard = json.load(open(file))
    for where, query in queries(dashboard):
        count += 1
        answer = ask("/api/v1/query", query=query)
        if not answer.get("data", {}).get("result"):
            faults.append(f"{file}: {where}: {answer.get('error', 'no data')}: {query}")
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            count += 1
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
            if not ask(f"/api/v1/label/{label}/values", **{"match[]": filled(series)}).get("data"):
                faults.append(f"{file}: variable {variable['name']} has no values")
print("\n".join(faults) if faults else count)
sys.exit(bool(faults))

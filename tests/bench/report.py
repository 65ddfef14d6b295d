"""The rows of a run, held against the goals, as a table and as JSON."""
import json
import operator

COMPARE = {"<=": operator.le, ">=": operator.ge}


class Report:
    def __init__(self):
        self.rows = []

    def add(self, measure, spread, unit="", first=None, following=None, detail="", dropped=0):
        """`first` and `following`: ("<=", number), or nothing where there is no goal."""
        row = {"measure": measure, "unit": unit, **spread, "detail": detail,
               "dropped_rounds": dropped}
        for name, goal in (("first", first), ("next", following)):
            if goal:
                row[name] = f"{goal[0]} {goal[1]:g}"
                row[f"{name}_holds"] = COMPARE[goal[0]](row["median"], goal[1])
        self.rows.append(row)
        print(f"  {measure}: {row['median']:.3g} {unit}", flush=True)

    def add_count(self, measure, value, unit, first=None, following=None, detail=""):
        self.add(measure, {"median": value, "min": value, "max": value}, unit, first, following,
                 detail)

    def table(self):
        def verdict(row):
            if "first" not in row:
                return "-"
            return "next" if row.get("next_holds") else "first" if row["first_holds"] else "**missed**"

        lines = ["| measure | median | min to max | first | next | holds | behind it |",
                 "|---|---|---|---|---|---|---|"]
        for row in self.rows:
            unit = f" {row['unit']}" if row["unit"] else ""
            span = "" if row["min"] == row["max"] else f"{row['min']:.3g} to {row['max']:.3g}"
            lines.append(f"| {row['measure']} | {row['median']:.3g}{unit} | {span} | "
                         f"{row.get('first', '')} | {row.get('next', '')} | {verdict(row)} | "
                         f"{row['detail']} |")
        return "\n".join(lines)

    def write_json(self, path, **about):
        with open(path, "w") as out:
            json.dump({**about, "rows": self.rows}, out, indent=1, ensure_ascii=False)
            out.write("\n")

// [drill], [expect] and [sweep], and the order in which the parts are read.
#include "drill/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/text.h"
#include "drill/scenario_reader.h"

namespace steerd::drill {

using config::TomlNode;
using config::TomlTable;

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

constexpr base::Duration kShortestDrill = std::chrono::seconds(1);
constexpr base::Duration kLongestDrill = std::chrono::hours(24 * 366);
constexpr std::array<std::string_view, 2> kTypeWords{"A", "AAAA"};

base::Result<std::string, std::string> read_file(const std::filesystem::path& path) {
    const File file(std::fopen(path.c_str(), "rbe"), &std::fclose);
    if (!file) {
        return base::Err{"cannot be opened: " + std::string(std::strerror(errno))};
    }
    std::string text;
    std::vector<char> chunk(std::size_t{64} << 10);
    while (text.size() <= config::kMaxTomlSize) {
        const auto size = std::fread(chunk.data(), 1, chunk.size(), file.get());
        text.append(chunk.data(), size);
        if (size < chunk.size()) {
            break;
        }
    }
    if (std::ferror(file.get()) != 0) {
        return base::Err{"cannot be read: " + std::string(std::strerror(errno))};
    }
    return text;
}

void read_head(TomlTable& root, Scenario& scenario) {
    const auto* node = root.table("drill");
    if (node == nullptr) {
        if (!root.has("drill")) {
            root.error(root.at(), "[drill] is missing");
        }
        return;
    }
    TomlTable table(*node, "[drill]", root.source(), root.problems());
    const auto required = [&](std::string_view key, bool there) {
        if (!there && !table.has(key)) {
            table.error(table.at(), fmt::format("{} is missing", key));
        }
        return there;
    };
    const auto config = table.path("config");
    if (required("config", config.has_value())) {
        scenario.config = *config;
    }
    const auto name = table.text("name");
    if (required("name", name.has_value())) {
        scenario.name = *name;
    }
    scenario.name_at = table.at("name");
    const auto duration = table.duration("duration", kShortestDrill);
    if (required("duration", duration.has_value())) {
        scenario.duration = *duration;
        if (*duration > kLongestDrill) {
            table.error("duration", "duration must be at most 366d");
        }
    }
    if (const auto seed = table.integer("seed", {0, INT64_MAX})) {
        scenario.seed = static_cast<std::uint64_t>(*seed);
    }
    if (const auto type = table.word("type", kTypeWords)) {
        scenario.type = static_cast<AskedType>(*type);
    }
    if (const auto preset = table.word("population", preset_names())) {
        scenario.population_name = preset_names()[*preset];
        scenario.population = *preset_population(scenario.population_name);
        if (root.has("resolvers")) {
            table.error("population", "population and [[resolvers]] exclude each other");
        }
    }
    table.finish();
}

void read_expect(TomlTable& root, Scenario& scenario) {
    const auto* node = root.table("expect");
    if (node == nullptr) {
        return;
    }
    TomlTable table(*node, "[expect]", root.source(), root.problems());
    // In the order of the file, so that verdicts stand as their limits do.
    for (const auto& entry : node->entries) {
        const auto keys = expect_keys();
        if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) {
            continue;
        }
        const auto text = table.text(entry.key);
        if (!text) {
            continue;
        }
        const auto limit = parse_limit(entry.key, *text);
        if (!limit) {
            table.error(entry.key, fmt::format("{} {}, got {}", entry.key, limit.error(),
                                               config::in_quotes(*text)));
            continue;
        }
        scenario.expect.push_back({entry.key, *text, *limit, table.at(entry.key)});
    }
    for (const std::string_view key : expect_keys()) {
        (void)table.has(key);  // known, for hints
    }
    table.finish();
}

void read_sweep(TomlTable& root, Scenario& scenario) {
    const auto* node = root.table("sweep");
    if (node == nullptr) {
        return;
    }
    TomlTable table(*node, "[sweep]", root.source(), root.problems());
    SweepGrid grid;
    for (const std::string_view key : {"ttl", "ttl_min", "interval", "fall"}) {
        const auto* values = table.array(key);
        for (const TomlNode& value : values == nullptr ? std::vector<TomlNode>{} : values->items) {
            const std::string text =
                value.kind == TomlNode::Kind::Integer ? std::to_string(value.integer) : value.text;
            const auto added = add_sweep_values(grid, key, text);
            if (!added) {
                table.error(table.at(value), fmt::format("{}: {}", key, added.error()));
            }
        }
    }
    if (points_of(grid) > kMostSweepPoints) {
        table.error(table.at(), fmt::format("{} points are too many, {} is the most",
                                            points_of(grid), kMostSweepPoints));
    }
    table.finish();
    if (!grid.empty()) {
        scenario.sweep = std::move(grid);
    }
}

}  // namespace

std::vector<const TomlNode*> tables_of(TomlTable& root, std::string_view key) {
    std::vector<const TomlNode*> out;
    const auto* array = root.array(key);
    if (array == nullptr) {
        return out;
    }
    for (const TomlNode& item : array->items) {
        if (item.kind == TomlNode::Kind::Table) {
            out.push_back(&item);
        } else {
            root.error(root.at(item), fmt::format("{} must hold tables only, got {}", key,
                                                  config::describe(item)));
        }
    }
    return out;
}

std::optional<double> read_share(TomlTable& table, std::string_view key) {
    const auto* node = table.any(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    double share = -1;
    if (node->kind == TomlNode::Kind::Integer) {
        share = static_cast<double>(node->integer);
    } else if (node->kind == TomlNode::Kind::Float) {
        share = node->real;
    } else if (node->kind == TomlNode::Kind::String && node->text.ends_with('%')) {
        const char* end = node->text.data() + node->text.size() - 1;
        const auto read = std::from_chars(node->text.data(), end, share);
        share = read.ec == std::errc{} && read.ptr == end ? share / 100 : -1;
    }
    if (!(share > 0 && share <= 1)) {
        table.wrong(key, *node, "a share above 0 and at most 1, or \"10%\"");
        return std::nullopt;
    }
    return share;
}

ReadScenario read_scenario(const std::filesystem::path& file) {
    const auto text = read_file(file);
    if (!text) {
        ReadScenario read;
        read.problems.error({file.string(), 0, 0}, text.error());
        return read;
    }
    return read_scenario_text(*text, file);
}

ReadScenario read_scenario_text(std::string_view text, const std::filesystem::path& file) {
    ReadScenario read;
    read.scenario.file = file;
    config::TomlSource source{file.string(), file.parent_path()};
    const auto document = config::parse_toml(text, source.file);
    if (!document) {
        read.problems.error(document.error().at, document.error().message);
        return read;
    }
    base::Problems problems;
    TomlTable root(*document, {}, source, problems);
    read_head(root, read.scenario);
    read_resolvers(root, read.scenario);
    read_demands(root, read.scenario);
    read_events(root, read.scenario);
    read_expect(root, read.scenario);
    read_sweep(root, read.scenario);
    root.finish();
    read.problems = config::in_file_order(problems);
    return read;
}

}  // namespace steerd::drill

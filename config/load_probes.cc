// [probes]: how one kind of check is done, and its timing with the defaults of product.md §5.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "config/draft.h"
#include "dns/name.h"
#include "dns/types.h"

namespace steerd::config {

namespace {

using health::ProbeSpec;
using health::ProbeType;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<std::string_view, 5> kTypeWords{"http", "https", "tcp", "dns", "exec"};
constexpr std::int64_t kMostInARow = 1000;  // fall, rise
constexpr base::Duration kShortest = milliseconds(1);

/// Which types a key belongs to, for the message where it stands under another one.
struct OwnedKey {
    std::string_view key;
    std::string_view owners;
    bool http, tcp, dns, exec;
};

constexpr std::array<OwnedKey, 9> kOwned{{
    {"port", "types \"http\", \"https\", \"tcp\" and \"dns\"", true, true, true, false},
    {"path", "types \"http\" and \"https\"", true, false, false, false},
    {"host", "types \"http\" and \"https\"", true, false, false, false},
    {"expect_status", "types \"http\" and \"https\"", true, false, false, false},
    {"expect_body", "types \"http\" and \"https\"", true, false, false, false},
    {"verify", "type \"https\"", true, false, false, false},
    {"ca_file", "type \"https\"", true, false, false, false},
    {"query", "type \"dns\"", false, false, true, false},
    {"command", "type \"exec\"", false, false, false, true},
}};

bool belongs(const OwnedKey& owned, ProbeType type) {
    switch (type) {
        case ProbeType::Http:
        case ProbeType::Https:
            return owned.http;
        case ProbeType::Tcp:
            return owned.tcp;
        case ProbeType::Dns:
            return owned.dns;
        case ProbeType::Exec:
            return owned.exec;
    }
    return false;
}

std::optional<int> parse_status(std::string_view text) {
    int status = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), status);
    const bool good = error == std::errc{} && end == text.end() && status >= 100 && status <= 599;
    return good ? std::optional(status) : std::nullopt;
}

/// 200, "200" or "200-299".
std::optional<std::pair<int, int>> read_status(const TomlNode& node) {
    if (node.kind == TomlNode::Kind::Integer) {
        const bool good = node.integer >= 100 && node.integer <= 599;
        const auto status = static_cast<int>(node.integer);
        return good ? std::optional(std::pair(status, status)) : std::nullopt;
    }
    if (node.kind != TomlNode::Kind::String) {
        return std::nullopt;
    }
    const std::string_view text = node.text;
    const auto dash = text.find('-');
    const auto first = parse_status(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_status(text.substr(dash + 1));
    if (!first || !last || *first > *last) {
        return std::nullopt;
    }
    return std::pair(*first, *last);
}

void read_expect_status(TomlTable& table, ProbeSpec& spec) {
    const auto* node = table.any("expect_status");
    if (node == nullptr) {
        return;
    }
    const bool list = node->kind == TomlNode::Kind::Array;
    if (list && node->items.empty()) {
        table.error("expect_status", "expect_status is empty: nothing could pass");
        return;
    }
    spec.expect_status.clear();
    const auto read_one = [&](const TomlNode& item) {
        if (const auto range = read_status(item)) {
            spec.expect_status.push_back(*range);
        } else {
            table.wrong("expect_status", item, "a status 100..599 or a range like \"200-299\"");
        }
    };
    if (list) {
        std::for_each(node->items.begin(), node->items.end(), read_one);
    } else {
        read_one(*node);
    }
}

/// Header and request lines are made of these: nothing in them may end the line or the word.
bool is_one_word(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; });
}

void read_port(TomlTable& table, ProbeSpec& spec) {
    switch (spec.type) {
        case ProbeType::Http:
            spec.port = 80;
            break;
        case ProbeType::Https:
            spec.port = 443;
            break;
        case ProbeType::Dns:
            spec.port = 53;
            break;
        case ProbeType::Tcp:
        case ProbeType::Exec:
            break;
    }
    if (spec.type == ProbeType::Tcp && !table.has("port")) {
        table.error(table.at(), "a tcp probe needs a port");
    }
    if (const auto port = table.integer("port", {1, 65535})) {
        spec.port = static_cast<std::uint16_t>(*port);
    }
}

void read_http(TomlTable& table, ProbeSpec& spec) {
    spec.path = table.text("path").value_or("/");
    if (spec.path.front() != '/' || !is_one_word(spec.path)) {
        table.error("path", fmt::format("path must begin with \"/\" and hold no space, got {}",
                                        in_quotes(spec.path)));
    }
    spec.host = table.text("host").value_or("");
    if (!is_one_word(spec.host)) {
        table.error("host", "host must hold no space, got " + in_quotes(spec.host));
    }
    read_expect_status(table, spec);
    if (const auto* body = table.any("expect_body")) {
        if (body->kind == TomlNode::Kind::String && !body->text.empty()) {
            spec.expect_body = body->text;
        } else {
            table.wrong("expect_body", *body, "a string that is not empty");
        }
    }
    spec.verify = table.boolean("verify").value_or(true);
    if (const auto ca_file = table.path("ca_file")) {
        spec.ca_file = ca_file->string();
    }
}

/// "example.com SOA"
void read_query(TomlTable& table, ProbeSpec& spec) {
    if (!table.has("query")) {
        table.error(table.at(), "a dns probe needs a query like \"example.com SOA\"");
        return;
    }
    const auto text = table.text("query");
    if (!text) {
        return;
    }
    const auto space = text->find(' ');
    const auto name_text = text->substr(0, space);
    const auto type_text =
        space == std::string::npos ? std::string() : text->substr(text->find_last_of(' ') + 1);
    if (type_text.empty() ||
        text->find_first_not_of(' ', space) != text->size() - type_text.size()) {
        table.error("query",
                    fmt::format("query must be a name and a type like \"example.com SOA\", "
                                "got {}",
                                in_quotes(*text)));
        return;
    }
    const auto name = dns::Name::parse(name_text);
    if (!name) {
        table.error("query",
                    fmt::format("query has a bad name {}: {}", in_quotes(name_text), name.error()));
    } else {
        spec.query_name = name->to_text();
    }
    const auto type = dns::parse_type(type_text);
    const auto number = type ? static_cast<std::uint16_t>(*type) : std::uint16_t{0};
    // 128..255 are questions and metadata (RFC 6895 §3.1), not types that a zone holds.
    const bool data = number > 0 && (number < 128 || number > 255) && *type != dns::RrType::OPT;
    if (!data) {
        table.error("query", fmt::format("query has a bad type {}", in_quotes(type_text)));
    } else {
        spec.query_type = number;
    }
}

/// Warns of a %WORD% that nothing replaces, as a typo of %ADDRESS% would be.
void check_placeholders(const TomlTable& table, const LocatedText& argument) {
    const std::string& text = argument.text;
    for (auto begin = text.find('%'); begin != std::string::npos;
         begin = text.find('%', begin + 1)) {
        const auto end = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", begin + 1);
        if (end == std::string::npos || text[end] != '%' || end - begin < 4) {
            continue;
        }
        const auto word = text.substr(begin, end - begin + 1);
        if (word != "%ADDRESS%") {
            table.warning(argument.at, fmt::format("{} is not replaced; only \"%ADDRESS%\" is",
                                                   in_quotes(word)));
        }
        begin = end;
    }
}

void read_command(TomlTable& table, ProbeSpec& spec) {
    if (!table.has("command")) {
        table.error(table.at(),
                    "an exec probe needs a command like [\"/usr/lib/check\", "
                    "\"%ADDRESS%\"]");
        return;
    }
    for (const auto& argument : table.texts("command")) {
        check_placeholders(table, argument);
        spec.command.push_back(argument.text);
    }
    if (const auto* list = table.array("command"); list != nullptr && list->items.empty()) {
        table.error("command", "command is empty");
    }
    // With a "/" it is a path, so relative to the file; without one it is looked up in PATH.
    if (!spec.command.empty() && spec.command[0].find('/') != std::string::npos) {
        spec.command[0] = (table.source().folder / spec.command[0]).string();
    }
}

void read_timing(TomlTable& table, ProbeSpec& spec) {
    spec.interval = table.duration("interval", kShortest).value_or(seconds(5));
    const auto at_most_interval = [&](std::string_view key, base::Duration preset) {
        const auto given = table.duration(key, kShortest);
        if (given && *given > spec.interval) {
            table.error(key, fmt::format("{} ({}) must not exceed interval ({})", key,
                                         base::format_duration(*given),
                                         base::format_duration(spec.interval)));
        }
        return given.value_or(std::min(preset, spec.interval));
    };
    spec.timeout = at_most_interval("timeout", seconds(2));
    spec.fast_interval = at_most_interval("fast_interval", seconds(1));
    spec.fall = static_cast<std::uint32_t>(table.integer("fall", {1, kMostInARow}).value_or(3));
    spec.rise = static_cast<std::uint32_t>(table.integer("rise", {1, kMostInARow}).value_or(2));
    spec.slow_after = table.duration("slow_after", kShortest);
    if (spec.slow_after && *spec.slow_after >= spec.timeout) {
        table.warning(table.at("slow_after"),
                      fmt::format("slow_after ({}) is not below timeout ({}): no pass is slow",
                                  base::format_duration(*spec.slow_after),
                                  base::format_duration(spec.timeout)));
    }
}

void read_probe(TomlTable& table, ProbeSpec& spec) {
    read_timing(table, spec);
    if (!table.has("type")) {
        table.error(table.at(),
                    "type is missing; add type = \"http\", \"https\", \"tcp\", \"dns\" "
                    "or \"exec\"");
    }
    const auto type = table.word("type", kTypeWords);
    if (!type) {
        for (const auto& owned : kOwned) {
            static_cast<void>(table.has(owned.key));  // may be right for the type that was meant
        }
        return;
    }
    spec.type = static_cast<ProbeType>(*type);
    for (const auto& owned : kOwned) {
        if (!belongs(owned, spec.type)) {
            table.reject(owned.key, fmt::format("belongs to {}, not to \"{}\"", owned.owners,
                                                kTypeWords[*type]));
        }
    }
    switch (spec.type) {
        case ProbeType::Http:
        case ProbeType::Https:
            read_port(table, spec);
            read_http(table, spec);
            break;
        case ProbeType::Tcp:
            read_port(table, spec);
            break;
        case ProbeType::Dns:
            read_port(table, spec);
            read_query(table, spec);
            break;
        case ProbeType::Exec:
            read_command(table, spec);
            break;
    }
}

}  // namespace

void load_probes(Draft& draft, TomlTable& root) {
    for (const auto* entry : section(draft, root, "probes")) {
        auto spec = std::make_shared<ProbeSpec>();
        spec->name = entry->key;
        if (entry->value.kind == TomlNode::Kind::Table) {
            TomlTable table(entry->value, "probe " + in_quotes(entry->key), draft.source,
                            draft.problems);
            read_probe(table, *spec);
            table.finish();
        }
        draft.model->probes.push_back({std::move(spec), draft.source.at(entry->value)});
    }
}

}  // namespace steerd::config

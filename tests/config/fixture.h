// What the tests of config/ share: loading text, and how its problems look.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace steerd::config {

/// The lines of Loaded::problems for a text that stands in "c.toml".
inline std::vector<std::string> problems_of(std::string_view text) {
    std::vector<std::string> lines;
    const auto loaded = load_text(text, "c.toml");
    for (const auto& problem : loaded.problems.all()) {
        lines.push_back(problem.text());
    }
    return lines;
}

/// A configuration without any problem; every line of it is counted by kBaseLines, so that what a
/// test adds behind it begins on line kBaseLines + 1.
inline constexpr std::string_view kBase = R"([server]
listen = ["127.0.0.1:5300"]
state_dir = "state"
[regions.tokyo]
location = [35.68, 139.69]
[regions.virginia]
location = [38.95, -77.45]
[probes.web]
type = "tcp"
port = 80
[endpoints.a]
region = "tokyo"
addresses = ["192.0.2.1"]
probes = ["web"]
[endpoints.b]
region = "virginia"
addresses = ["192.0.2.2"]
probes = ["web"]
[endpoints.c]
cname = "c.example.net"
probes = ["web"]
[routes.main]
policy = "failover"
members = ["a", "b"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
www = { route = "main" }
)";
inline constexpr int kBaseLines = 28;

/// kBase followed by `more`: its problems, with "@1:" for the first line of `more`.
inline std::vector<std::string> problems_with(std::string_view more) {
    auto lines = problems_of(std::string(kBase) + std::string(more));
    for (auto& line : lines) {
        const std::string prefix = "c.toml:";
        const auto end = line.find(':', prefix.size());
        if (line.compare(0, prefix.size(), prefix) == 0 && end != std::string::npos) {
            const int number = std::stoi(line.substr(prefix.size(), end - prefix.size()));
            line = "@" + std::to_string(number - kBaseLines) + line.substr(end);
        }
    }
    return lines;
}

/// kBase with the first `from` replaced: its problems, lines counted from the start.
inline std::vector<std::string> problems_edited(std::string_view from, std::string_view to) {
    std::string text(kBase);
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return problems_of(at == std::string::npos ? text : text.replace(at, from.size(), to));
}

/// One problem: "@1:8: error" and a phrase of its message.
inline ::testing::Matcher<std::string> problem(const std::string& place,
                                               const std::string& phrase) {
    return ::testing::AllOf(::testing::StartsWith(place + ": "), ::testing::HasSubstr(phrase));
}

}  // namespace steerd::config

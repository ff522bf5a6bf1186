// The one binary: finds the command, runs it, turns errors into words and an exit status.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/problem.h"
#include "base/text.h"
#include "cli/command.h"

namespace steerd::cli {

namespace {

void print_overview(std::FILE* out) {
    fmt::print(out,
               "steerd: an authoritative DNS server that steers\n\nusage: steerd COMMAND ...\n\n");
    for (const auto& command : commands()) {
        fmt::print(out, "  {:<10} {}\n", command.name, command.summary);
    }
    fmt::print(out, "\n  steerd help COMMAND tells more; steerd --version\n");
}

const Command* find(const std::string& name) {
    const auto all = commands();
    const auto it = std::find_if(all.begin(), all.end(),
                                 [&](const Command& command) { return command.name == name; });
    return it == all.end() ? nullptr : &*it;
}

int unknown(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& command : commands()) {
        names.emplace_back(command.name);
    }
    const auto near = base::nearest(name, names);
    fmt::print(stderr, "steerd: unknown command \"{}\"{}\n", name,
               near ? fmt::format("; did you mean {}?", *near) : "");
    print_overview(stderr);
    return kUsage;
}

int help(const std::vector<std::string>& words) {
    if (words.empty()) {
        print_overview(stdout);
        return kOk;
    }
    const auto* command = find(words[0]);
    if (command == nullptr) {
        return unknown(words[0]);
    }
    fmt::print("usage: {}", command->usage);
    return kOk;
}

int dispatch(const Command& command, const std::vector<std::string>& words) {
    if (std::find(words.begin(), words.end(), "--help") != words.end()) {
        return help({std::string(command.name)});
    }
    try {
        return command.run(Args(words, command.options));
    } catch (const UsageError& error) {
        fmt::print(stderr, "steerd {}: {}\nusage: {}", command.name, error.what(), command.usage);
        return kUsage;
    } catch (const base::LoadError& error) {
        fmt::print(stderr, "{}\n", error.what());
        return kFailed;
    } catch (const std::exception& error) {
        fmt::print(stderr, "steerd {}: {}\n", command.name, error.what());
        return kFailed;
    }
}

int run(int argc, char** argv) {
    const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    if (words.empty()) {
        print_overview(stderr);
        return kUsage;
    }
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    if (words[0] == "--version" || words[0] == "-V") {
        fmt::print("steerd {}\n", STEERD_VERSION);
        return kOk;
    }
    if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
        return help(rest);
    }
    const auto* command = find(words[0]);
    return command == nullptr ? unknown(words[0]) : dispatch(*command, rest);
}

}  // namespace

}  // namespace steerd::cli

int main(int argc, char** argv) { return steerd::cli::run(argc, argv); }

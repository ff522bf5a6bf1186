// Files that mean harm: deep, huge, mutated. They end in problems, soon, and never in a crash.
#include <chrono>
#include <fstream>
#include <sstream>

#include "base/rng.h"
#include "config/worst_case.h"
#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using ::testing::HasSubstr;

std::string repeated(std::string_view part, std::size_t times) {
    std::string text;
    text.reserve(part.size() * times);
    for (std::size_t i = 0; i < times; ++i) {
        text += part;
    }
    return text;
}

/// Loads, uses what came of it (counted in `models`), and returns how many problems there were.
std::size_t digest(std::string_view text, std::size_t* models = nullptr) {
    const auto loaded = load_text(text, "c.toml");
    if (loaded.model != nullptr) {
        if (models != nullptr) {
            ++*models;
        }
        for (std::size_t i = 0; i < loaded.model->routes.size(); ++i) {
            EXPECT_LE(endpoints_under(*loaded.model, RouteId{static_cast<std::uint32_t>(i)}).size(),
                      loaded.model->endpoints.size());
        }
        for (const auto& named : worst_cases(*loaded.model)) {
            EXPECT_TRUE(!named.worst || named.worst->total() > base::Duration::zero());
        }
    } else {
        EXPECT_TRUE(loaded.problems.has_errors());
    }
    EXPECT_EQ(loaded.problems.text().find('\0'), std::string::npos);
    return loaded.problems.all().size();
}

TEST(HostileInput, DeepNestingIsRefused) {
    EXPECT_EQ(digest("x = " + repeated("[", 100'000)), 1U);
    EXPECT_EQ(digest("x = " + repeated("{a=", 100'000)), 1U);
    EXPECT_EQ(digest("x = " + repeated("[\n", 100'000) + repeated("]", 100'000)), 1U);
}

TEST(HostileInput, DeepDottedKeysAreRefused) {
    for (const std::string& text :
         {"[" + repeated("a.", 500'000) + "b]\n", repeated("a . ", 500'000) + "b = 1\n",
          "x = {" + repeated("'a'.\"b\".", 100'000) + "c = 1}\n",
          "s = '''\"'''\n[" + repeated("a.", 500'000) + "b]\n",
          "s = \"\"\"a\\\"\"\"\"\"\n[" + repeated("a.", 500'000) + "b]\n"}) {
        const auto loaded = load_text(text, "c.toml");
        EXPECT_THAT(loaded.problems.text(), HasSubstr("a dotted key has more than 16 parts"));
    }
}

TEST(HostileInput, DotsInStringsAndCommentsAreNoKeys) {
    const auto dots = repeated("a.", 1000);
    EXPECT_EQ(problems_with("# " + dots + "\n[admin]\nhosts = ['" + dots + "', \"" + dots +
                            "\", \"\"\"" + dots + "\"\"\", '''" + dots + "''']\n"),
              std::vector<std::string>{});
}

TEST(HostileInput, NestingBelowTheLimitsOfTheParserIsRefused) {
    // The deepest that toml++ reads: 254 values of 15 parts each.
    const auto key = repeated("a.", 14) + "a";
    const auto text = "x = " + repeated("{" + key + " = ", 254) + "1" + repeated("}", 254);
    EXPECT_THAT(load_text(text, "c.toml").problems.text(), HasSubstr("nested more than 64 deep"));
}

TEST(HostileInput, ManyProblemsTakeSeconds) {
    std::string text = "[endpoints]\n";
    for (int i = 0; i < 20'000; ++i) {
        text += "e" + std::to_string(i) +
                " = { addresses = [\"nowhere\"], probes = [\"px\"], bad = 1 }\n";
    }
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(digest(text), 3U * 20'000 + 3);  // and listen, state_dir, zones
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(HostileInput, ManyLoopsAreNotAllNamed) {
    // Each route leads back to each one before it.
    std::string text = "[routes]\n";
    std::string members;
    for (int i = 0; i < 300; ++i) {
        members += (i == 0 ? "\"r" : ", \"r") + std::to_string(i) + "\"";
    }
    for (int i = 0; i < 300; ++i) {
        text +=
            "r" + std::to_string(i) + " = { policy = \"failover\", members = [" + members + "] }\n";
    }
    EXPECT_EQ(digest(text), 20U + 2 + 3);  // and the depth and the size of what is left
}

TEST(HostileInput, LongChainsOfRoutesDoNotRecurse) {
    std::string text = "[routes]\n";
    for (int i = 0; i < 20'000; ++i) {
        text += "r" + std::to_string(i) + " = { policy = \"failover\", members = [\"r" +
                std::to_string(i + 1) + "\"] }\n";
    }
    EXPECT_EQ(digest(text), 5U);  // the last member is missing, the nesting too deep
}

TEST(HostileInput, ALargeConfigurationLoads) {
    std::string text(kBase);
    std::string members;
    for (int i = 0; i < 10'000; ++i) {
        const auto name = "e" + std::to_string(i);
        text += "[endpoints." + name + "]\nregion = \"tokyo\"\naddresses = [\"10.0." +
                std::to_string(i / 256) + "." + std::to_string(i % 256) +
                "\"]\nprobes = [\"web\"]\n";
        members += "\"" + name + "\", ";
    }
    // 10.0.0.0 is an address like any other.
    text += "[routes.big]\npolicy = \"weighted\"\nmembers = [" + members + "]\n";
    const auto loaded = load_text(text, "c.toml");
    ASSERT_NE(loaded.model, nullptr) << loaded.problems.text().substr(0, 500);
    EXPECT_EQ(endpoints_under(*loaded.model, RouteId{1}).size(), 10'000U);
}

/// One of the kinds of damage that fuzzers do.
void mutate(std::string& text, base::Rng& rng, const std::vector<std::string>& words) {
    const auto at = static_cast<std::size_t>(rng.below(text.size()));
    const auto size = static_cast<std::size_t>(rng.below(20));
    switch (rng.below(6)) {
        case 0:
            text[at] = static_cast<char>(rng.below(256));
            break;
        case 1:
            text.erase(at, size);
            break;
        case 2:
            text.insert(at, text.substr(static_cast<std::size_t>(rng.below(text.size())), size));
            break;
        case 3:
            text.insert(at, words[static_cast<std::size_t>(rng.below(words.size()))]);
            break;
        case 4:
            text.resize(at + 1);
            break;
        default: {
            // A word in the place of another: stays TOML, so it reaches the checks.
            const auto& from = words[static_cast<std::size_t>(rng.below(words.size()))];
            const auto found = text.find(from, at);
            if (found != std::string::npos) {
                text.replace(found, from.size(),
                             words[static_cast<std::size_t>(rng.below(words.size()))]);
            }
        }
    }
    if (text.empty()) {
        text = "x";
    }
}

TEST(HostileInput, MutationsOfTheExampleNeverCrash) {
    std::ifstream file(std::string(STEERD_SOURCE_DIR) + "/examples/steerd.toml");
    std::stringstream whole;
    whole << file.rdbuf();
    const auto example = whole.str();
    ASSERT_GT(example.size(), 3000U);
    const std::vector<std::string> words{"\"tokyo\"",
                                         "\"virginia\"",
                                         "\"www\"",
                                         "\"safe\"",
                                         "\"sorry\"",
                                         "\"web\"",
                                         "\"5s\"",
                                         "\"60s\"",
                                         "\"0s\"",
                                         "\"geo\"",
                                         "\"latency\"",
                                         "\"failover\"",
                                         "\"weighted\"",
                                         "\"@\"",
                                         "\"*\"",
                                         "\".\"",
                                         "\"\"",
                                         "true",
                                         "-1",
                                         "0",
                                         "nan",
                                         "[]",
                                         "{}",
                                         "{ to = \"www\" }",
                                         "[35.68, 139.69]",
                                         "9223372036854775807",
                                         "1979-05-27",
                                         "\"multivalue\"",
                                         "\"2001:db8::10\"",
                                         "members",
                                         "steer"};
    base::Rng rng(20261120);
    std::size_t loaded = 0;
    for (int round = 0; round < 1500; ++round) {
        std::string text = example;
        const auto times = 1 + rng.below(round % 3 == 0 ? 12 : 2);
        for (std::uint64_t i = 0; i < times; ++i) {
            mutate(text, rng, words);
        }
        digest(text, &loaded);
    }
    EXPECT_GT(loaded, 20U);  // so that the checks behind the syntax were reached
}

}  // namespace
}  // namespace steerd::config

// How a file is read whatever it says: syntax errors, order of the problems, files that are none.

#include "tests/config/fixture.h"

namespace steerd::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TomlReading, SyntaxErrorIsOneProblemWithItsPlace) {
    const auto loaded = load_text("[server]\nlisten = [\"a\"\nx = 1\n", "c.toml");
    EXPECT_EQ(loaded.model, nullptr);
    ASSERT_EQ(loaded.problems.all().size(), 1U);
    EXPECT_THAT(loaded.problems.text(), problem("c.toml:3:1: error", "not TOML: "));
}

TEST(TomlReading, DuplicateKeyIsASyntaxError) {
    EXPECT_THAT(problems_with("[endpoints.a]\n"),
                ElementsAre(problem("@1:1: error", "not TOML: ")));
}

TEST(TomlReading, ColumnsCountCharacters) {
    EXPECT_THAT(problems_with("[regions.x]\nlocation = [1, 2]\n\"é\" = 1\ncountry = \"é\" # é\n"),
                ElementsAre(problem("@3:1: error", "unknown key \"é\""),
                            problem("@4:11: error", "got \"é\"")));
}

TEST(TomlReading, CarriageReturnsAndAByteOrderMarkChangeNothing) {
    std::string text = "\xEF\xBB\xBF";
    for (const char c : kBase) {
        text += c == '\n' ? "\r\n" : std::string(1, c);
    }
    EXPECT_THAT(problems_of(text), ElementsAre());
}

TEST(TomlReading, AllProblemsComeInTheOrderOfTheFile) {
    // Alphabetically, and by the order in which sections are read, it would be another order.
    EXPECT_THAT(problems_of(R"([zones."example.com"]
file = "f"
steer.www = { route = "nope" }
[routes.z]
policy = "failover"
members = ["y", "missing"]
[routes.y]
policy = "failover"
members = ["z"]
[endpoints.e]
addresses = ["1.2.3"]
[probes.p]
type = "tcp"
[server]
listen = []
wrokers = 2
)"),
                ElementsAre(problem("c.toml:3:23: error", "no route \"nope\""),
                            problem("c.toml:6:17: error", "no endpoint or route \"missing\""),
                            problem("c.toml:9:12: error", "loop: z → y → z"),
                            problem("c.toml:10:1: warning", "never found down"),
                            problem("c.toml:11:14: error", "is not an IP address"),
                            problem("c.toml:12:1: error", "a tcp probe needs a port"),
                            problem("c.toml:14:1: warning", "state_dir is missing"),
                            problem("c.toml:15:10: error", "listen is empty"),
                            problem("c.toml:16:1: error", "did you mean \"workers\"?")));
}

TEST(TomlReading, NumbersFollowTheOrderOfTheFile) {
    const auto loaded =
        load_text(std::string(kBase) + "[regions.a]\nlocation = [1, 2]\n", "c.toml");
    ASSERT_NE(loaded.model, nullptr);
    std::vector<std::string> names;
    for (const auto& region : loaded.model->regions) {
        names.push_back(region.name);
    }
    EXPECT_THAT(names, ElementsAre("tokyo", "virginia", "a"));
}

TEST(TomlReading, FileThatCannotBeOpened) {
    const auto missing = load("/nonexistent/steerd.toml");
    EXPECT_EQ(missing.model, nullptr);
    EXPECT_EQ(missing.problems.text(),
              "/nonexistent/steerd.toml: error: cannot be opened: No such file or directory");
    const auto folder = load("/");
    EXPECT_EQ(folder.model, nullptr);
    EXPECT_THAT(folder.problems.text(), HasSubstr("cannot be read: Is a directory"));
}

TEST(TomlReading, FileWithoutAnEndIsRefused) {
    const auto loaded = load("/dev/zero");
    EXPECT_EQ(loaded.model, nullptr);
    EXPECT_THAT(loaded.problems.text(), HasSubstr("over 16 MiB"));
}

TEST(TomlReading, MessagesStayShortAndPrintable) {
    const auto lines = problems_with("[probes.p]\ntype = \"" + std::string(100'000, 'x') + "\"\n");
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_LT(lines[0].size(), 300U);
    EXPECT_THAT(problems_with("[probes.p]\ntype = \"a\\u001b[31m\"\n"),
                ElementsAre(problem("@2:8: error", "got \"a\\x1b[31m\"")));
}

}  // namespace
}  // namespace steerd::config

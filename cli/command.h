// What a command is: a name, a line for the overview, its usage text, and a function. The table in
// commands.cc is the one list of them; help is printed from it.
// Exit status: 0 ok, 1 the thing asked for failed, 2 wrong usage. Thread rule: the main thread.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace steerd::cli {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

/// The command line does not fit the command: printed with its usage, exit status 2.
class UsageError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The thing asked for failed: printed, exit status 1.
class Failure : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// An option a command knows: "--client" with a value, "--json" without.
struct Option {
    std::string_view name;
    bool takes_value = false;
    std::string_view short_name;  // "-c", or empty
};

/// A command line taken apart by the command's options.
class Args {
  public:
    /// Throws UsageError for an option that is not in the list or lacks its value.
    Args(std::span<const std::string> words, std::span<const Option> options);

    [[nodiscard]] bool has(std::string_view option) const;
    /// The last value given.
    [[nodiscard]] std::optional<std::string> value(std::string_view option) const;
    [[nodiscard]] std::vector<std::string> values(std::string_view option) const;

    [[nodiscard]] const std::vector<std::string>& positional() const noexcept {
        return positional_;
    }

    /// Throws UsageError unless there are exactly `count` words beside the options.
    void expect_positional(std::size_t count) const;

  private:
    std::vector<std::pair<std::string_view, std::string>> given_;
    std::vector<std::string> positional_;
};

struct Command {
    std::string_view name;
    std::string_view summary;
    std::string_view usage;
    std::span<const Option> options;
    int (*run)(const Args&);
};

[[nodiscard]] std::span<const Command> commands();

/// -c FILE, else ./steerd.toml, else /etc/steerd/steerd.toml. Throws Failure when none is there.
[[nodiscard]] std::filesystem::path config_path(const Args& args);

int run_serve(const Args& args);
int run_check(const Args& args);
int run_explain(const Args& args);
int run_drill(const Args& args);
int run_forecast(const Args& args);
int run_latency(const Args& args);
int run_status(const Args& args);
int run_drain(const Args& args);
int run_up(const Args& args);
int run_down(const Args& args);
int run_release(const Args& args);
int run_reload(const Args& args);
int run_events(const Args& args);

}  // namespace steerd::cli

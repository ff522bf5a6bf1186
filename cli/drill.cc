// steerd drill: rehearses a scenario, on virtual time or on real time with real processes (--live),
// and tells how long clients stay on what is dead (product.md §6). Reports are written whatever
// [expect] says; the exit status is its verdict, or 128 and the signal that broke a live drill off.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "cli/command.h"
#include "drill/live.h"
#include "drill/rehearse.h"
#include "drill/report_html.h"
#include "drill/report_json.h"
#include "drill/report_text.h"
#include "drill/validate.h"
#include "server/loader.h"

namespace steerd::cli {

namespace {

constexpr unsigned kMostThreads = 256;

struct Wishes {
    std::optional<std::uint64_t> seed;
    std::optional<drill::SweepGrid> sweep;
    unsigned threads = 1;
    bool live = false;
};

std::uint64_t parse_number(std::string_view option, const std::string& text, std::uint64_t least,
                           std::uint64_t most) {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end || value < least || value > most) {
        throw UsageError(
            fmt::format("bad {} \"{}\": wants a number from {} to {}", option, text, least, most));
    }
    return value;
}

Wishes parse_wishes(const Args& args) {
    args.expect_positional(1);
    Wishes out;
    if (const auto seed = args.value("--seed")) {
        out.seed = parse_number("--seed", *seed, 0, INT64_MAX);
    }
    out.threads = std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
    if (const auto threads = args.value("--threads")) {
        out.threads = static_cast<unsigned>(parse_number("--threads", *threads, 1, kMostThreads));
    }
    if (const auto text = args.value("--sweep")) {
        auto grid = drill::parse_sweep(*text);
        if (!grid) {
            throw UsageError("bad --sweep: " + grid.error());
        }
        out.sweep = std::move(*grid);
    }
    out.live = args.has("--live");
    if (out.live && (out.sweep || args.has("--threads"))) {
        throw UsageError("--live goes with neither --sweep nor --threads");
    }
    return out;
}

void print_problems(const base::Problems& problems) {
    for (const auto& problem : problems.all()) {
        fmt::print(stderr, "{}\n", problem.text());
    }
}

void write_file(const std::string& path, const std::string& text) {
    using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
    File file(std::fopen(path.c_str(), "we"), &std::fclose);
    const bool good = file != nullptr &&
                      std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                      std::fclose(file.release()) == 0;
    if (!good) {
        throw Failure(fmt::format("{} cannot be written: {}", path, std::strerror(errno)));
    }
}

/// On a terminal: what is done so far, in place.
class Progress {
  public:
    explicit Progress(bool shown) : shown_(shown) {}

    void tell(double share) {
        const int percent = static_cast<int>(share * 100);
        if (!shown_ || percent == last_) {
            return;
        }
        last_ = percent;
        const auto filled = static_cast<std::size_t>(percent * kWidth / 100);
        fmt::print(stderr, "\r[{:<{}}] {:3} %", std::string(filled, '#'), kWidth, percent);
        std::fflush(stderr);
    }

    void end() const {
        if (shown_ && last_ >= 0) {
            fmt::print(stderr, "\r{:<{}}\r", "", kWidth + 10);
        }
    }

  private:
    static constexpr int kWidth = 40;
    bool shown_;
    int last_ = -1;
};

/// Scenario and configuration, or nothing and all their problems printed.
struct Loaded {
    drill::Scenario scenario;
    drill::Bound bound;
};

std::optional<Loaded> load(const std::filesystem::path& file, const Wishes& wishes) {
    auto read = drill::read_scenario(file);
    if (wishes.seed) {
        read.scenario.seed = *wishes.seed;
    }
    std::optional<drill::Bound> bound;
    base::Problems problems;
    if (!read.scenario.config.empty()) {
        server::LoadOptions options;
        options.strict = true;
        options.more_networks = drill::location_networks(read.scenario);
        auto loaded = server::load_plan(read.scenario.config, options);
        if (loaded.plan != nullptr && !loaded.problems.has_errors()) {
            bound = drill::bind_scenario(read.scenario, loaded.plan, read.problems);
        }
        problems.append(loaded.problems);
    }
    problems.append(read.problems);
    print_problems(problems);
    if (!bound || problems.has_errors()) {
        return std::nullopt;
    }
    return Loaded{std::move(read.scenario), std::move(*bound)};
}

/// Signals that would end the process wait, so that everything it started is ended in order.
class Interruption {
  public:
    Interruption() {
        sigset_t all;
        sigemptyset(&all);
        for (const int number : kNumbers) {
            sigaddset(&all, number);
        }
        ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    }

    /// The signal that came; 0: none.
    [[nodiscard]] static int number() noexcept {
        sigset_t waiting;
        sigemptyset(&waiting);
        ::sigpending(&waiting);
        const auto* const found =
            std::find_if(std::begin(kNumbers), std::end(kNumbers),
                         [&](int number) { return sigismember(&waiting, number) == 1; });
        return found == std::end(kNumbers) ? 0 : *found;
    }

  private:
    static constexpr int kNumbers[] = {SIGINT, SIGTERM, SIGHUP};
};

int write_reports(const Args& args, const drill::Report& report) {
    if (const auto path = args.value("--json")) {
        write_file(*path, drill::report_json(report));
    }
    if (const auto path = args.value("--html")) {
        write_file(*path, drill::report_html(report));
    }
    drill::TextStyle style;
    style.terminal = isatty(STDOUT_FILENO) == 1;
    fmt::print("{}", drill::report_text(report, style));
    const bool valid = !report.validation || report.validation->ok();
    return drill::all_ok(report.verdicts) && valid ? kOk : kFailed;
}

int tell_interrupted() {
    constexpr int kSignalled = 128;  // as shells count
    fmt::print(stderr, "interrupted: everything the drill started is ended\n");
    return kSignalled + Interruption::number();
}

/// REQUIRES: signals wait.
void validate(const Loaded& loaded, Progress& progress, drill::Report& report,
              base::Problems& problems) {
    drill::ValidateOptions options;
    options.program = std::filesystem::read_symlink("/proc/self/exe");
    options.cancelled = [] { return Interruption::number() != 0; };
    options.progress = [&](double share) { progress.tell(share); };
    report.validation = drill::validate(loaded.scenario, loaded.bound, options, problems);
}

int run_live(const Args& args, const Loaded& loaded) {
    const Interruption interruption;
    Progress progress(isatty(STDERR_FILENO) == 1);
    drill::LiveDrillOptions options;
    options.program = std::filesystem::read_symlink("/proc/self/exe");
    options.cancelled = [] { return Interruption::number() != 0; };
    options.progress = [&](double share) { progress.tell(share); };
    base::Problems problems;
    drill::Report report = drill::live_drill(loaded.scenario, loaded.bound, options, problems);
    if (args.has("--validate") && !problems.has_errors() && Interruption::number() == 0) {
        validate(loaded, progress, report, problems);
    }
    progress.end();
    if (Interruption::number() != 0) {
        return tell_interrupted();
    }
    print_problems(problems);
    return problems.has_errors() ? kFailed : write_reports(args, report);
}

}  // namespace

int run_drill(const Args& args) {
    const Wishes wishes = parse_wishes(args);
    const auto loaded = load(args.positional()[0], wishes);
    if (!loaded) {
        return kFailed;
    }
    if (wishes.live) {
        return run_live(args, *loaded);
    }
    Progress progress(isatty(STDERR_FILENO) == 1);
    drill::RehearseOptions options;
    options.threads = wishes.threads;
    options.progress = [&](double share) { progress.tell(share); };
    base::Problems problems;
    drill::Report report = drill::rehearse(loaded->scenario, loaded->bound, options, problems);
    const auto& grid = wishes.sweep ? wishes.sweep : loaded->scenario.sweep;
    if (grid && !problems.has_errors()) {
        report.sweep = drill::sweep(loaded->scenario, loaded->bound, *grid, options, problems);
    }
    std::optional<Interruption> interruption;  // a virtual drill has nothing to put in order
    if (args.has("--validate") && !problems.has_errors()) {
        interruption.emplace();
        validate(*loaded, progress, report, problems);
    }
    progress.end();
    if (interruption && Interruption::number() != 0) {
        return tell_interrupted();
    }
    print_problems(problems);
    if (problems.has_errors()) {
        return kFailed;
    }
    return write_reports(args, report);
}

}  // namespace steerd::cli

// See process_facts.h. Fields of proc(5). Thread rule: any thread.
#include "admin/process_facts.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace steerd::admin {

namespace {

// Fields of /proc/self/stat behind the command, counted from "state" as 0.
constexpr std::size_t kUserTicks = 11;
constexpr std::size_t kSystemTicks = 12;
constexpr std::size_t kThreads = 17;
constexpr std::size_t kStartTicks = 19;
constexpr std::size_t kVirtualBytes = 20;
constexpr std::size_t kResidentPages = 21;

std::string text_of(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

double number(const std::string& text) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// When the machine started, in seconds since 1970.
std::optional<double> boot_time() {
    const std::string stat = text_of("/proc/stat");
    const auto at = stat.find("\nbtime ");
    if (at == std::string::npos) {
        return std::nullopt;
    }
    const auto begin = at + sizeof "\nbtime " - 1;
    return number(stat.substr(begin, stat.find('\n', begin) - begin));
}

double open_descriptors() {
    std::error_code error;
    const std::filesystem::directory_iterator all("/proc/self/fd", error);
    return error ? 0 : static_cast<double>(std::distance(begin(all), end(all)));
}

}  // namespace

std::optional<ProcessFacts> process_facts() {
    const std::string stat = text_of("/proc/self/stat");
    const auto behind = stat.rfind(')');  // the command may hold anything
    const auto booted = boot_time();
    if (behind == std::string::npos || !booted) {
        return std::nullopt;
    }
    std::istringstream words(stat.substr(behind + 1));
    const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
    if (fields.size() <= kResidentPages) {
        return std::nullopt;
    }
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    rlimit descriptors{};
    (void)::getrlimit(RLIMIT_NOFILE, &descriptors);
    ProcessFacts facts;
    facts.cpu_seconds = (number(fields[kUserTicks]) + number(fields[kSystemTicks])) / ticks;
    facts.threads = number(fields[kThreads]);
    facts.start_time = *booted + number(fields[kStartTicks]) / ticks;
    facts.virtual_bytes = number(fields[kVirtualBytes]);
    facts.resident_bytes =
        number(fields[kResidentPages]) * static_cast<double>(::sysconf(_SC_PAGESIZE));
    facts.open_fds = open_descriptors();
    facts.max_fds = static_cast<double>(descriptors.rlim_cur);
    return facts;
}

}  // namespace steerd::admin

#include "server/log.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "base/text.h"

namespace steerd::server {

namespace {

std::string_view word(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::Error:
            return "error: ";
        case LogLevel::Warning:
            return "warning: ";
        case LogLevel::Notice:
        case LogLevel::Info:
            return "";
    }
    return "";
}

}  // namespace

void log(LogLevel level, std::string_view message, std::span<const LogField> fields) noexcept {
    constexpr const char* kJournal = "/run/systemd/journal/socket";
    if (!fields.empty() && stderr_is_journal() &&
        send_to_journal(kJournal, journal_entry(static_cast<int>(level), message, fields))) {
        return;
    }
    // JOURNAL_STREAM is set by systemd when standard error goes to the journal.
    const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
    std::string line = journal ? "<" + std::to_string(static_cast<int>(level)) + ">"
                               : base::format_wall(base::RealClock().now().wall) + " ";
    line += word(level);
    for (const char c : message) {
        line += c == '\n' ? ' ' : c;
    }
    line += '\n';
    (void)!::write(STDERR_FILENO, line.data(), line.size());
}

bool log_has_room() noexcept {
    constexpr int kMostWaiting = 32 * 1024;  // octets: half of a pipe

    struct stat what {};

    if (::fstat(STDERR_FILENO, &what) != 0) {
        return true;
    }
    int waiting = 0;
    if (S_ISFIFO(what.st_mode)) {
        (void)::ioctl(STDERR_FILENO, FIONREAD, &waiting);
    } else if (S_ISSOCK(what.st_mode)) {
        (void)::ioctl(STDERR_FILENO, SIOCOUTQ, &waiting);
    }
    return waiting < kMostWaiting;
}

}  // namespace steerd::server

// See journal.h. Thread rule: any thread.
#include "server/journal.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "server/fd.h"

namespace steerd::server {

namespace {

/// A value with a line end needs the form with its size before it.
void append(std::string& out, std::string_view key, std::string_view value) {
    out += key;
    if (value.find('\n') == std::string_view::npos) {
        out += '=';
    } else {
        out += '\n';
        for (unsigned shift = 0; shift < 64; shift += 8) {
            out += static_cast<char>(static_cast<unsigned char>(value.size() >> shift));
        }
    }
    out += value;
    out += '\n';
}

}  // namespace

std::string journal_entry(int priority, std::string_view message,
                          std::span<const LogField> fields) {
    std::string out;
    append(out, "PRIORITY", std::to_string(priority));
    append(out, "SYSLOG_IDENTIFIER", "steerd");
    append(out, "MESSAGE", message);
    for (const LogField& field : fields) {
        if (!field.value.empty()) {
            append(out, std::string("STEERD_") += field.key, field.value);
        }
    }
    return out;
}

bool stderr_is_journal() noexcept {
    const char* const stream = std::getenv("JOURNAL_STREAM");

    struct stat about {};

    if (stream == nullptr || ::fstat(STDERR_FILENO, &about) != 0) {
        return false;
    }
    char* end = nullptr;
    const auto device = std::strtoull(stream, &end, 10);
    return *end == ':' && device == about.st_dev &&
           std::strtoull(end + 1, &end, 10) == about.st_ino && *end == '\0';
}

bool send_to_journal(const char* socket, std::string_view entry) noexcept {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (std::strlen(socket) >= sizeof address.sun_path) {
        return false;
    }
    std::strcpy(address.sun_path, socket);
    const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    const auto* const to = reinterpret_cast<const sockaddr*>(&address);
    return fd && ::sendto(fd.get(), entry.data(), entry.size(), MSG_DONTWAIT | MSG_NOSIGNAL, to,
                          sizeof address) == static_cast<ssize_t>(entry.size());
}

}  // namespace steerd::server

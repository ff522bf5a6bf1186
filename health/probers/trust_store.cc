#include "health/probers/trust_store.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace steerd::probers {

namespace {

constexpr const char* kSystemBundle = "/etc/ssl/certs/ca-certificates.crt";

}  // namespace

base::Result<TrustStores::Store, std::string> TrustStores::get(const std::string& ca_file) {
    const std::string file = ca_file.empty() ? kSystemBundle : ca_file;

    struct stat now {};

    if (::stat(file.c_str(), &now) != 0) {
        return base::Err{"cannot read CA file " + file + ": " + ::strerrordesc_np(errno)};
    }
    Entry& entry = by_file_[file];
    if (entry.store != nullptr && entry.size == now.st_size &&
        entry.changed.tv_sec == now.st_mtim.tv_sec &&
        entry.changed.tv_nsec == now.st_mtim.tv_nsec) {
        return entry.store;
    }
    Store store(X509_STORE_new(), &X509_STORE_free);
    CHECK(store != nullptr);
    if (X509_STORE_load_file(store.get(), file.c_str()) != 1) {
        ERR_clear_error();
        entry.store.reset();
        return base::Err{"no certificate in CA file " + file};
    }
    // A bundle may name an intermediate as trusted, as curl's own default allows.
    X509_STORE_set_flags(store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    entry = {std::move(store), now.st_mtim, now.st_size};
    return entry.store;
}

}  // namespace steerd::probers

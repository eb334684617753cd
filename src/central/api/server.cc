#include "central/api/server.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "base/hash.h"
#include "base/log.h"

namespace redoubt::central {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::beast::error_code;
using tcp = asio::ip::tcp;
using std::chrono::seconds;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr size_t kHeadBytesMax = size_t{16} << 10;
constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr size_t kDrainBytesMax = size_t{64} << 20;
constexpr auto kHandshakeTime = seconds(10);
constexpr auto kIdleTime = seconds(60);   // between requests, and for one head
constexpr auto kPieceTime = seconds(60);  // for kPieceBytes of a body
constexpr auto kWriteTime = seconds(60);
constexpr auto kCloseTime = seconds(2);
constexpr auto kHeartbeat = seconds(15);
constexpr int kHeadTooLarge = 431;
constexpr size_t kCertificatesBytesMax = size_t{32} << 10;
constexpr int kSecurityBitsMin = 112;  // RSA of 2048 bits, EC of 224
constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";

// Scripts, styles and fonts come from the node's own files alone; nothing inline, nothing framed.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

enum class Next { another_request, close, drain_and_close };

// One client. It lives as long as its coroutine; everything happens on its strand.
struct Connection {
  Connection(tcp::socket socket, asio::ssl::context& tls)
      : stream(std::move(socket), tls), wake(stream.get_executor()) {}

  beast::tcp_stream& lower() { return beast::get_lowest_layer(stream); }
  void shut() {
    error_code ignored;
    lower().socket().close(ignored);
    wake.cancel();
  }

  beast::ssl_stream<beast::tcp_stream> stream;
  beast::flat_buffer buffer{kHeadBytesMax + kPieceBytes};
  asio::steady_timer wake;  // of an event stream
  std::string address;
  std::string client_fingerprint;
};

using ConnectionPtr = std::shared_ptr<Connection>;
using Parser = http::request_parser<http::buffer_body>;

asio::awaitable<void> call_there(std::function<void()> work) {
  work();
  co_return;
}

// Runs `work` on a worker thread; the coroutine goes on where it was.
asio::awaitable<void> run_blocking(asio::thread_pool& workers, std::function<void()> work) {
  co_await asio::co_spawn(workers.get_executor(), call_there(std::move(work)), asio::use_awaitable);
}

void add_security_headers(http::fields& fields, const Response& response) {
  fields.set("Strict-Transport-Security", "max-age=31536000");
  fields.set("X-Content-Type-Options", "nosniff");
  fields.set("X-Frame-Options", "DENY");
  fields.set("Referrer-Policy", "no-referrer");
  fields.set("Cross-Origin-Opener-Policy", "same-origin");
  fields.set("Cross-Origin-Resource-Policy", "same-origin");
  fields.set("Content-Security-Policy", kContentSecurityPolicy);
  fields.set("Cache-Control", "no-store");
  for (const auto& [name, value] : response.headers) fields.set(name, value);
  if (!response.content_type.empty()) fields.set(http::field::content_type, response.content_type);
}

asio::awaitable<Next> write_response(ConnectionPtr connection, Response response, Next next) {
  http::response<http::string_body> message(static_cast<http::status>(response.status), 11);
  add_security_headers(message, response);
  message.body() = std::move(response.body);
  message.keep_alive(next == Next::another_request);
  message.prepare_payload();
  connection->lower().expires_after(kWriteTime);
  const auto [error, size] = co_await http::async_write(connection->stream, message, kAsTuple);
  co_return error ? Next::close : next;
}

// The head of an answer whose body follows by itself; false: the client has gone.
asio::awaitable<bool> write_head(ConnectionPtr connection, http::response<http::empty_body> message) {
  http::response_serializer<http::empty_body> serializer(message);
  connection->lower().expires_after(kWriteTime);
  const auto [error, size] = co_await http::async_write_header(connection->stream, serializer, kAsTuple);
  co_return !error;
}

// Ends the connection's wait, from any thread.
std::function<void()> waker_of(const ConnectionPtr& connection) {
  return [weak = std::weak_ptr<Connection>(connection)] {
    const ConnectionPtr alive = weak.lock();
    if (alive) asio::post(alive->stream.get_executor(), [alive] { alive->wake.cancel(); });
  };
}

// The parts of an answer, between the worker that makes them and the connection that sends them.
class Parts {
 public:
  struct Taken {
    std::string bytes;
    bool last = false;
  };

  void add(const std::string& part) {
    const std::lock_guard lock(mutex_);
    made_.bytes += part;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    made_.last = true;
  }
  // All that was made since.
  Taken take() {
    const std::lock_guard lock(mutex_);
    return {.bytes = std::exchange(made_.bytes, {}), .last = made_.last};
  }

 private:
  std::mutex mutex_;
  Taken made_;
};

// Whether the peer has closed the connection, for a handler on a worker thread. The descriptor is one of its own: the
// connection may be shut meanwhile.
std::function<bool()> watch_peer(Connection& connection) {
  const int own = ::fcntl(connection.lower().socket().native_handle(), F_DUPFD_CLOEXEC, 0);
  if (own < 0) return nullptr;
  return [watched = std::make_shared<const base::UniqueFd>(own)] {
    pollfd peer{.fd = watched->get(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&peer, 1, 0) > 0;
  };
}

// Takes every certificate: who it belongs to is what people decide by its fingerprint. That the peer has its key is the
// handshake's to check.
int take_any_certificate(int, X509_STORE_CTX*) { return 1; }

void ask_for_certificates(SSL_CTX* tls) {
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, take_any_certificate);
  SSL_CTX_set_max_cert_list(tls, kCertificatesBytesMax);
  // Each connection proves its key anew.
  SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(tls, 0);
}

// Empty without a certificate, or with a key that is too weak to tell anybody by.
std::string peer_fingerprint(SSL* tls) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(tls), X509_free);
  const EVP_PKEY* const key = certificate ? X509_get0_pubkey(certificate.get()) : nullptr;
  if (key == nullptr || EVP_PKEY_get_security_bits(key) < kSecurityBitsMin) return "";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) != 1) return "";
  return base::to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

RequestHead head_of(const Parser& parser, const Connection& connection) {
  RequestHead head{.method = std::string(parser.get().method_string()),
                   .target = std::string(parser.get().target()),
                   .address = connection.address,
                   .client_fingerprint = connection.client_fingerprint};
  for (const auto& field : parser.get()) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    head.headers.emplace(std::move(name), std::string(field.value()));
  }
  if (const auto length = parser.content_length()) head.content_length = *length;
  return head;
}

}  // namespace

class ApiServer::Impl {
 public:
  Impl(const ApiServerOptions& options, Dispatcher& dispatcher, base::Metrics& metrics)
      : options_(options),
        dispatcher_(dispatcher),
        requests_(metrics.counter("redoubt_http_requests_total", "requests to console and API", options.metric_labels)),
        open_(metrics.gauge("redoubt_http_connections", "open HTTPS connections", options.metric_labels)),
        io_(static_cast<int>(options.io_threads)),
        workers_(options.worker_threads),
        acceptor_(asio::make_strand(io_)) {}
  ~Impl() { stop(); }

  Status start();
  void stop();
  int port() const { return port_; }

 private:
  Status prepare_tls();
  Status listen();
  asio::awaitable<void> accept_all();
  asio::awaitable<void> serve(ConnectionPtr connection);
  asio::awaitable<Next> serve_request(ConnectionPtr connection);
  asio::awaitable<Next> refuse_head(ConnectionPtr connection, error_code error);
  asio::awaitable<Next> take_body(ConnectionPtr connection, Parser& parser, Admitted& admitted);
  asio::awaitable<void> send_events(ConnectionPtr connection, Response response);
  asio::awaitable<Next> send_parts(ConnectionPtr connection, Response response, Next next);
  asio::awaitable<Next> send_file(ConnectionPtr connection, Response response, Next next);
  asio::awaitable<void> close(ConnectionPtr connection, Next how);
  bool room_for(const std::string& address) const;  // under mutex_
  void forget(const ConnectionPtr& connection);

  const ApiServerOptions options_;
  Dispatcher& dispatcher_;
  base::Metric &requests_, &open_;
  asio::ssl::context tls_{asio::ssl::context::tls_server};
  asio::io_context io_;
  asio::thread_pool workers_;
  tcp::acceptor acceptor_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::set<ConnectionPtr> connections_;
};

Status ApiServer::Impl::prepare_tls() {
  error_code error;
  tls_.use_certificate_chain(asio::buffer(options_.certificate_pem), error);
  if (error) return fail(Errc::invalid_argument, "server certificate: " + error.message());
  tls_.use_private_key(asio::buffer(options_.key_pem), asio::ssl::context::pem, error);
  if (error) return fail(Errc::invalid_argument, "server key: " + error.message());
  SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_3_VERSION);
  if (options_.client_certificates == ClientCertificates::asked) ask_for_certificates(tls_.native_handle());
  SSL_CTX_set_alpn_select_cb(
      tls_.native_handle(),
      [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered, unsigned offered_size,
         void*) {
        static constexpr unsigned char kOurs[] = "\x08http/1.1";
        unsigned char* chosen = nullptr;
        const int found = SSL_select_next_proto(&chosen, size, kOurs, sizeof kOurs - 1, offered, offered_size);
        *out = chosen;
        return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
      },
      nullptr);
  return {};
}

Status ApiServer::Impl::listen() {
  error_code error;
  const auto address = asio::ip::make_address(options_.address, error);
  if (error) return fail(Errc::invalid_argument, "listen address '" + options_.address + "': not an IP address");
  const tcp::endpoint endpoint(address, static_cast<uint16_t>(options_.port));
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail(Errc::unavailable,
                "listen on " + options_.address + ":" + std::to_string(options_.port) + ": " + error.message());
  }
  port_ = acceptor_.local_endpoint().port();
  return {};
}

Status ApiServer::Impl::start() {
  TRY_STATUS(prepare_tls());
  TRY_STATUS(listen());
  asio::co_spawn(acceptor_.get_executor(), accept_all(), asio::detached);
  for (unsigned i = 0; i < options_.io_threads; ++i) threads_.emplace_back([this] { io_.run(); });
  return {};
}

void ApiServer::Impl::stop() {
  if (stopping_.exchange(true)) return;
  asio::post(acceptor_.get_executor(), [this] {
    error_code ignored;
    acceptor_.close(ignored);
  });
  {
    const std::lock_guard lock(mutex_);
    for (const ConnectionPtr& connection : connections_) {
      asio::post(connection->stream.get_executor(), [connection] { connection->shut(); });
    }
  }
  for (std::thread& thread : threads_) thread.join();
  workers_.join();
}

bool ApiServer::Impl::room_for(const std::string& address) const {
  const auto of_address = std::count_if(connections_.begin(), connections_.end(),
                                        [&](const ConnectionPtr& open) { return open->address == address; });
  return connections_.size() < options_.connections_max &&
         static_cast<size_t>(of_address) < options_.connections_per_address_max;
}

void ApiServer::Impl::forget(const ConnectionPtr& connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  open_.set(static_cast<int64_t>(connections_.size()));
}

asio::awaitable<void> ApiServer::Impl::accept_all() {
  while (!stopping_) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::make_strand(io_), kAsTuple);
    if (stopping_ || error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, mostly: let connections end before the next try.
      base::log_warning("api", "accept: " + error.message());
      asio::steady_timer pause(acceptor_.get_executor(), seconds(1));
      co_await pause.async_wait(kAsTuple);
      continue;
    }
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const auto peer = socket.remote_endpoint(ignored);
    auto connection = std::make_shared<Connection>(std::move(socket), tls_);
    connection->address = peer.address().to_string();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || !room_for(connection->address)) continue;
      connections_.insert(connection);
      open_.set(static_cast<int64_t>(connections_.size()));
    }
    asio::co_spawn(connection->stream.get_executor(), serve(connection),
                   [this, connection](const std::exception_ptr& failure) {
                     if (failure) base::log_error("api", "a connection ended with an exception");
                     forget(connection);
                   });
  }
}

asio::awaitable<void> ApiServer::Impl::serve(ConnectionPtr connection) {
  connection->lower().expires_after(kHandshakeTime);
  const auto [error] = co_await connection->stream.async_handshake(asio::ssl::stream_base::server, kAsTuple);
  if (error) co_return;
  connection->client_fingerprint = peer_fingerprint(connection->stream.native_handle());
  Next next = Next::another_request;
  while (next == Next::another_request && !stopping_) next = co_await serve_request(connection);
  co_await close(connection, next);
}

asio::awaitable<Next> ApiServer::Impl::refuse_head(ConnectionPtr connection, error_code error) {
  // Made before the co_await: g++ 12 destroys temporaries of a braced list inside one twice.
  Response response;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    response = error_response({Errc::too_large, "the head of the request is too large"});
    response.status = kHeadTooLarge;
  } else if (error.category() == make_error_code(http::error::bad_method).category() &&
             error != http::error::end_of_stream && error != http::error::partial_message) {
    response = error_response({Errc::invalid_argument, "not an HTTP request: " + error.message()});
  } else {
    co_return Next::close;
  }
  co_return co_await write_response(connection, std::move(response), Next::drain_and_close);
}

asio::awaitable<Next> ApiServer::Impl::serve_request(ConnectionPtr connection) {
  Parser parser;
  parser.header_limit(kHeadBytesMax);
  parser.body_limit(boost::none);
  connection->lower().expires_after(kIdleTime);
  const auto [error, size] = co_await http::async_read_header(connection->stream, connection->buffer, parser, kAsTuple);
  if (error) co_return co_await refuse_head(connection, error);
  requests_.add();
  connection->lower().expires_never();

  const RequestHead head = head_of(parser, *connection);
  const Next after = parser.keep_alive() ? Next::another_request : Next::close;
  Admitted admitted;
  co_await run_blocking(workers_, [&] { admitted = dispatcher_.begin(head); });
  if (admitted.refusal) {
    const Next next = parser.is_done() ? after : Next::drain_and_close;
    co_return co_await write_response(connection, *std::move(admitted.refusal), next);
  }
  if (!parser.is_done() && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    connection->lower().expires_after(kWriteTime);
    const auto [failed, sent] = co_await asio::async_write(connection->stream, asio::buffer(kGoOn), kAsTuple);
    if (failed) co_return Next::close;
  }
  if (const Next next = co_await take_body(connection, parser, admitted); next != Next::another_request) co_return next;
  if (admitted.refusal)
    co_return co_await write_response(connection, *std::move(admitted.refusal), Next::drain_and_close);

  Response response;
  const bool watched = admitted.route != nullptr && admitted.route->client == Client::watched;
  if (watched) admitted.request.gone = watch_peer(*connection);
  co_await run_blocking(workers_, [&] { response = dispatcher_.finish(admitted); });
  admitted.request.gone = nullptr;
  if (response.stream) {
    co_await send_events(connection, std::move(response));
    co_return Next::close;
  }
  if (response.parts) co_return co_await send_parts(connection, std::move(response), after);
  if (response.file) co_return co_await send_file(connection, std::move(response), after);
  co_return co_await write_response(connection, std::move(response), after);
}

// Reads the body into the sink or the request; admitted.refusal is set where it cannot be taken.
asio::awaitable<Next> ApiServer::Impl::take_body(ConnectionPtr connection, Parser& parser, Admitted& admitted) {
  std::string piece;
  uint64_t taken = 0;
  while (!parser.is_done()) {
    // One byte past the limit is enough to know: a body that never ends is refused when it gets there.
    piece.resize(std::min<uint64_t>(kPieceBytes, admitted.body_bytes_max - taken + 1));
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    parser.get().body().more = true;
    connection->lower().expires_after(kPieceTime);
    auto [error, size] = co_await http::async_read(connection->stream, connection->buffer, parser, kAsTuple);
    if (error && error != http::error::need_buffer) co_return Next::close;
    connection->lower().expires_never();
    piece.resize(piece.size() - parser.get().body().size);
    taken += piece.size();
    Status status;
    if (taken > admitted.body_bytes_max) {
      status =
          fail(Errc::too_large, "body: more than the limit of " + std::to_string(admitted.body_bytes_max) + " bytes");
    } else if (admitted.sink) {
      co_await run_blocking(workers_, [&] { status = admitted.sink->write(piece); });
    } else {
      admitted.request.body += piece;
    }
    if (!status) {
      co_await run_blocking(workers_, [&] { admitted.refusal = dispatcher_.refuse(admitted, status.error()); });
      co_return Next::another_request;
    }
  }
  co_return Next::another_request;
}

// Each part as soon as it is made. The worker that makes them goes on when the client has gone: it is told by itself.
asio::awaitable<Next> ApiServer::Impl::send_parts(ConnectionPtr connection, Response response, Next next) {
  http::response<http::empty_body> message(static_cast<http::status>(response.status), 11);
  add_security_headers(message, response);
  message.keep_alive(next == Next::another_request);
  message.chunked(true);
  if (!co_await write_head(connection, std::move(message))) co_return Next::close;
  const auto parts = std::make_shared<Parts>();
  asio::post(workers_, [parts, make = std::move(response.parts), wake = waker_of(connection)] {
    make([&](const std::string& part) {
      parts->add(part);
      wake();
    });
    parts->end();
    wake();
  });
  for (auto taken = parts->take(); !stopping_; taken = parts->take()) {
    if (taken.bytes.empty() && taken.last) break;
    if (taken.bytes.empty()) {
      // As in send_events(): what came since take() wakes this wait.
      connection->wake.expires_after(kHeartbeat);
      co_await connection->wake.async_wait(kAsTuple);
      continue;
    }
    connection->lower().expires_after(kWriteTime);
    const auto chunk = http::make_chunk(asio::buffer(taken.bytes));
    const auto [failed, sent] = co_await asio::async_write(connection->stream, chunk, kAsTuple);
    if (failed) co_return Next::close;
    connection->lower().expires_never();
  }
  const auto end = http::make_chunk_last();
  connection->lower().expires_after(kWriteTime);
  const auto [failed, sent] = co_await asio::async_write(connection->stream, end, kAsTuple);
  co_return failed || stopping_ ? Next::close : next;
}

// Piece by piece: a file may be larger than the memory.
asio::awaitable<Next> ApiServer::Impl::send_file(ConnectionPtr connection, Response response, Next next) {
  http::response<http::empty_body> message(static_cast<http::status>(response.status), 11);
  add_security_headers(message, response);
  message.keep_alive(next == Next::another_request);
  message.content_length(response.file_bytes);
  if (!co_await write_head(connection, std::move(message))) co_return Next::close;
  std::string piece;
  for (uint64_t sent = 0; sent < response.file_bytes && !stopping_; sent += piece.size()) {
    piece.resize(std::min<uint64_t>(kPieceBytes, response.file_bytes - sent));
    ssize_t read = 0;
    co_await run_blocking(
        workers_, [&] { read = ::pread(response.file->get(), piece.data(), piece.size(), static_cast<off_t>(sent)); });
    // The client sees that the end is missing.
    if (read <= 0) co_return Next::close;
    piece.resize(static_cast<size_t>(read));
    connection->lower().expires_after(kWriteTime);
    const auto [failed, written] = co_await asio::async_write(connection->stream, asio::buffer(piece), kAsTuple);
    if (failed) co_return Next::close;
    connection->lower().expires_never();
  }
  co_return stopping_ ? Next::close : next;
}

asio::awaitable<void> ApiServer::Impl::send_events(ConnectionPtr connection, Response response) {
  http::response<http::empty_body> message(http::status::ok, 11);
  add_security_headers(message, response);
  message.keep_alive(false);
  if (!co_await write_head(connection, std::move(message))) co_return;
  const std::shared_ptr<EventStream> events = response.stream;
  events->wake_with(waker_of(connection));
  std::string pending = ": open\n\n";
  while (!stopping_ && events->live()) {
    while (auto message_text = events->next()) pending += *message_text;
    if (pending.empty()) {
      // Whatever came since next() wakes this wait: its wake-up runs on this strand, after the wait has begun.
      connection->wake.expires_after(kHeartbeat);
      const auto [woken] = co_await connection->wake.async_wait(kAsTuple);
      if (!woken) pending = ": alive\n\n";
      continue;
    }
    connection->lower().expires_after(kWriteTime);
    const auto [failed, sent] = co_await asio::async_write(connection->stream, asio::buffer(pending), kAsTuple);
    if (failed) break;
    connection->lower().expires_never();
    pending.clear();
  }
  events->wake_with(nullptr);
}

// Says goodbye. A client that still sends what was refused reads the answer only if its bytes are taken for a while.
asio::awaitable<void> ApiServer::Impl::close(ConnectionPtr connection, Next how) {
  if (stopping_) co_return;
  connection->lower().expires_after(kCloseTime);
  if (how == Next::drain_and_close) {
    std::string sink(kPieceBytes, '\0');
    for (size_t drained = 0; drained < kDrainBytesMax;) {
      const auto [error, size] = co_await connection->stream.async_read_some(asio::buffer(sink), kAsTuple);
      if (error) break;
      drained += size;
    }
    connection->lower().expires_after(kCloseTime);
  }
  co_await connection->stream.async_shutdown(kAsTuple);
}

ApiServer::ApiServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiServer::~ApiServer() = default;
int ApiServer::port() const { return impl_->port(); }
void ApiServer::stop() { impl_->stop(); }

Result<std::unique_ptr<ApiServer>> ApiServer::start(const ApiServerOptions& options, Dispatcher& dispatcher,
                                                    base::Metrics& metrics) {
  auto impl = std::make_unique<Impl>(options, dispatcher, metrics);
  TRY_STATUS(impl->start());
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(impl)));
}

}  // namespace redoubt::central

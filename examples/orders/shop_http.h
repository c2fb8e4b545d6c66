/*
 * shop_http.h - the shop as a web server.
 *
 *     POST /validate /charge /refund /reserve     the four services
 *     POST /control   {"service":"charge","errors":0.5,"outage_ms":2000}
 *     GET  /control   what is set, how many wait
 *     GET  /audit     the ledger's audit, as JSON
 *     GET  /ledger    the ledger itself
 */
#pragma once

#include "shop_ledger.h"
#include "shop_service.h"

#include <stdint.h>

struct shop;

/* Takes the ledger and the four services (by enum shop_step), which must outlive it. Listens on
 * 127.0.0.1; port 0 takes a free one. NULL after saying why. */
struct shop *shop_http_open(uint16_t port, const char *ledger_path, struct shop_ledger *ledger,
                            struct shop_service *services);
uint16_t shop_http_port(const struct shop *shop);

/* Lets everybody go who still waits, unanswered. */
void shop_http_close(struct shop *shop);

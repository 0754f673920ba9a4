/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * lwIP as this image uses it: IPv4, one TCP connection to a fixed address, no heap, no operating system.
 *
 * RAM: a reply of the gateway fits the receive window; an upload of one TLS record fits the send buffer.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0 /* nothing of lwIP is called from interrupts */
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0

#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_ARP 1
#define LWIP_ICMP 1
#define LWIP_RAW 0
#define LWIP_UDP 0
#define LWIP_DHCP 0 /* with a network that gives addresses: 1, LWIP_UDP 1, and dhcp_start in network.cpp */
#define LWIP_DNS 0  /* the gateway's address is configured, so no name service is trusted or waited for */
#define LWIP_TCP 1
#define IP_REASSEMBLY 0
#define IP_FRAG 0

#define MEM_ALIGNMENT 4
#define ETH_PAD_SIZE 2 /* so that IP headers are aligned; the driver makes room for it */
#define TCP_MSS 1460
#define TCP_WND (2 * TCP_MSS)
#define TCP_SND_BUF (3 * TCP_MSS)
#define TCP_SND_QUEUELEN 8
#define TCP_QUEUE_OOSEQ 0
#define LWIP_TCP_KEEPALIVE 1
#define LWIP_WND_SCALE 0

#define MEM_SIZE (6 * 1024) /* segments on their way */
#define MEMP_NUM_TCP_PCB 3  /* the connection, and two that are closing */
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG 10
#define MEMP_NUM_PBUF 4
#define MEMP_NUM_REASSDATA 1
#define PBUF_POOL_SIZE 4
#define PBUF_POOL_BUFSIZE 1536
#define ARP_TABLE_SIZE 4
#define ARP_QUEUEING 0

#define LWIP_STATS 0
#define LWIP_PROVIDE_ERRNO 0
#define LWIP_NETIF_STATUS_CALLBACK 0
#define LWIP_NOASSERT 1

#endif
